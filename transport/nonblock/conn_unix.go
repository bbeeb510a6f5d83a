//go:build unix

package nonblock

import (
	"errors"

	"golang.org/x/sys/unix"
)

// tryWrite is how many bytes a socket takes without waiting; 0 also when it fails.
func tryWrite(fd uintptr, b []byte) int {
	n, err := Write(fd, b)
	if err != nil {
		return 0
	}
	return n
}

// again makes a call until no signal has interrupted it.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0), err
		}
	}
}
