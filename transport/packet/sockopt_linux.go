package packet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// open makes a socket that neither blocks nor survives exec.
func open(domain, typ, protocol int) (int, error) {
	fd, err := unix.Socket(domain, typ|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return -1, permission(err)
	}
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	return fd, nil
}

// permission says what to do about a missing capability.
func permission(err error) error {
	return fmt.Errorf("packet: raw sockets need CAP_NET_RAW: run `setcap cap_net_raw+ep %s` as root, or give a container cap_add: [NET_RAW] (%w)", program(), err)
}

// program is the path of this program, for commands about it.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return "hawser-client"
	}
	return path
}

// attach puts a filter on a socket for good.
func attach(fd int, program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return fmt.Errorf("packet: filter: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_LOCK_FILTER, 1)
	}
	return os.NewSyscallError("attach filter", err)
}

// setBuffer asks for a buffer of n bytes, past the system's limit if privileges allow.
func setBuffer(fd, force, ordinary, n int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, n) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, ordinary, n) // the kernel caps it: what it grants works too
	}
}

// bindDevice binds a socket to an interface; index 0: to none.
func bindDevice(fd, index int, name string) error {
	if index == 0 {
		return nil
	}
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, index)
	if errors.Is(err, unix.ENOPROTOOPT) { // Linux before 5.1
		err = unix.BindToDevice(fd, name)
	}
	if err != nil {
		return fmt.Errorf("packet: bind to interface %s: %w", name, err)
	}
	return nil
}

// setOption32 sets an option whose highest bit may be set, which an int of 32 bits cannot hold.
func setOption32(fd, level, option int, v uint32) error {
	return unix.SetsockoptInt(fd, level, option, int(int32(v))) // the kernel takes the low 32 bits
}

// closeAll closes sockets; -1 is none.
func closeAll(fds ...int) {
	for _, fd := range fds {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// netOrder is a number as it stands in a structure that wants network byte order.
func netOrder(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}
