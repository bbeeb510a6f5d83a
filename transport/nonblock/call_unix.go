//go:build unix && !linux

package nonblock

import "golang.org/x/sys/unix"

// Read is read(2) on a descriptor that does not block; 0 and nil: the end of the stream.
func Read(fd uintptr, b []byte) (int, error) {
	return again(func() (int, error) { return unix.Read(int(fd), b) })
}

// Write is write(2) on a descriptor that does not block.
func Write(fd uintptr, b []byte) (int, error) {
	return again(func() (int, error) { return unix.Write(int(fd), b) })
}

// Writev is writev(2) on a descriptor that does not block.
func Writev(fd uintptr, bufs [][]byte) (int, error) {
	return again(func() (int, error) { return unix.Writev(int(fd), bufs) })
}

// Ready asks poll(2) without waiting; errors and the end of the connection count as ready.
func Ready(fd uintptr, events int16) bool {
	p := [1]unix.PollFd{{Fd: int32(fd), Events: events}}
	n, err := again(func() (int, error) { return unix.Poll(p[:], 0) })
	return err != nil || n > 0
}
