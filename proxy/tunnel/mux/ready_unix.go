//go:build unix

package mux

import (
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// waitingFiller reads from a socket and waits for it in the runtime's poller without a buffer.
func waitingFiller(raw syscall.RawConn) filler {
	return func(h *holder) (n int, err error) {
		pollErr := raw.Read(func(fd uintptr) bool {
			n, err = unix.Read(int(fd), h.take())
			for err == unix.EINTR {
				n, err = unix.Read(int(fd), h.take())
			}
			if err == unix.EAGAIN {
				h.drop()
				return false
			}
			return true
		})
		switch {
		case pollErr != nil:
			return 0, pollErr
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}
