package netlab

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// disableOffloads makes an interface of the current thread's namespace send and receive the frames of a wire:
// `ethtool -K NAME tx off sg off tso off gso off gro off`.
func disableOffloads(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("offloads of %s: %w", name, err)
	}
	defer func() { _ = unix.Close(fd) }()
	for _, command := range []uint32{
		unix.ETHTOOL_STSO, unix.ETHTOOL_SGSO, unix.ETHTOOL_SGRO, unix.ETHTOOL_SSG, unix.ETHTOOL_STXCSUM,
	} {
		if err := ethtool(fd, name, command, 0); err != nil {
			return fmt.Errorf("offload %#x of %s: %w", command, name, err)
		}
	}
	return nil
}

// ethtool sets one value by SIOCETHTOOL: a struct ifreq whose data point to a struct ethtool_value.
func ethtool(fd int, name string, command, value uint32) error {
	data := [2]uint32{command, value}
	var request struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte // the union's largest members
	}
	copy(request.name[:unix.IFNAMSIZ-1], name)
	request.data = unsafe.Pointer(&data)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return errno
	}
	return nil
}
