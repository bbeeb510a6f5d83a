package nonblock

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// smallBuffers is how many buffers a small gathered write has at most.
const smallBuffers = 8

// Read is read(2) on a descriptor that does not block; 0 and nil: the end of the stream.
func Read(fd uintptr, b []byte) (int, error) {
	return retry(func() (uintptr, unix.Errno) {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		return n, errno
	})
}

// Write is write(2) on a descriptor that does not block.
func Write(fd uintptr, b []byte) (int, error) {
	if len(b) > Small {
		return again(func() (int, error) { return unix.Write(int(fd), b) })
	}
	return retry(func() (uintptr, unix.Errno) {
		n, _, errno := unix.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		return n, errno
	})
}

// Writev is writev(2) on a descriptor that does not block.
func Writev(fd uintptr, bufs [][]byte) (int, error) {
	var vectors [smallBuffers]unix.Iovec
	size := 0
	for i, b := range bufs[:min(len(bufs), len(vectors))] {
		vectors[i].Base = unsafe.SliceData(b)
		vectors[i].SetLen(len(b))
		size += len(b)
	}
	if len(bufs) > len(vectors) || size > Small {
		return again(func() (int, error) { return unix.Writev(int(fd), bufs) })
	}
	return retry(func() (uintptr, unix.Errno) {
		n, _, errno := unix.RawSyscall(unix.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&vectors)), uintptr(len(bufs)))
		return n, errno
	})
}

// Ready asks poll(2) without waiting; errors and the end of the connection count as ready.
func Ready(fd uintptr, events int16) bool {
	p := unix.PollFd{Fd: int32(fd), Events: events}
	var now unix.Timespec
	n, err := retry(func() (uintptr, unix.Errno) {
		n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
		return n, errno
	})
	return err != nil || n > 0
}

// IoctlInt is ioctl(2) with a request that gives a number.
func IoctlInt(fd, request uintptr) (int, error) {
	var v int32
	_, err := retry(func() (uintptr, unix.Errno) {
		_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(&v)))
		return 0, errno
	})
	return int(v), err
}

// retry makes a call until no signal has interrupted it.
func retry(call func() (uintptr, unix.Errno)) (int, error) {
	for {
		switch n, errno := call(); errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}
