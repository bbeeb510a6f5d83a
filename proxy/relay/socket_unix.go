//go:build unix

package relay

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"hawser/transport/nonblock"
)

// socketSource reads a TCP socket: the non-blocking read is tried with a pooled buffer inside the runtime's wait, and
// the buffer goes back to the pool before the goroutine parks.
type socketSource struct {
	raw syscall.RawConn
	try func(fd uintptr) bool // s.read, bound once: no allocation for each read

	// Results of one try, owned by whoever runs raw.Read.
	buf *Buffer
	n   int
	err error
}

func newSocketSource(c *net.TCPConn) source {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socketSource{raw: raw}
	s.try = s.read
	return s
}

func (s *socketSource) next() ([]byte, *Buffer, error) {
	s.buf, s.n, s.err = nil, 0, nil
	if err := s.raw.Read(s.try); err != nil {
		return nil, nil, err
	}
	buf := s.buf
	s.buf = nil
	switch {
	case s.err != nil:
		return nil, nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", s.err)}
	case s.n == 0:
		return nil, nil, io.EOF
	}
	return buf[:s.n], buf, nil
}

func (s *socketSource) read(fd uintptr) bool {
	b := getBuffer()
	n, err := nonblock.Read(fd, b[:])
	if err != nil || n == 0 {
		putBuffer(b)
		s.err = err
		return !errors.Is(err, syscall.EAGAIN)
	}
	s.buf, s.n, s.err = b, n, nil
	return true
}

// watch waits, after EOF, until the socket is reset (its error is returned) or closed by us (nil).
func (s *socketSource) watch() error {
	var failed error
	err := s.raw.Read(func(fd uintptr) bool {
		failed = socketError(fd)
		return failed != nil
	})
	if err != nil {
		return nil // closed by us
	}
	return failed
}

// failed asks once whether the socket was reset. It may be called from any goroutine.
func (s *socketSource) failed() error {
	var failed error
	if err := s.raw.Control(func(fd uintptr) { failed = socketError(fd) }); err != nil {
		return nil // closed by us
	}
	return failed
}

// socketError takes the pending error of a socket; asking clears it, so whoever gets one must act on it.
func socketError(fd uintptr) error {
	code, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
	if err != nil || code == 0 {
		return nil
	}
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.Errno(code))}
}
