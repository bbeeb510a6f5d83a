package plain

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/windows"
)

// Options of ws2ipdef.h that x/sys does not name.
const (
	ipUnicastIf   = 31
	ipv6UnicastIf = 31
)

// setCongestion does nothing: Windows has no choice of congestion control for a socket.
func setCongestion(uintptr, string) {}

// bindInterface ties the socket to a device by IP_UNICAST_IF, whose index is in network byte order, or
// IPV6_UNICAST_IF, whose index is not.
func bindInterface(fd uintptr, name string, v6 bool) error {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return fmt.Errorf("interface %q does not exist: %w", name, err)
	}
	if v6 {
		err = windows.SetsockoptInt(windows.Handle(fd), windows.IPPROTO_IPV6, ipv6UnicastIf, ifi.Index)
	} else {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(ifi.Index))
		err = windows.SetsockoptInt(windows.Handle(fd), windows.IPPROTO_IP, ipUnicastIf, int(int32(binary.NativeEndian.Uint32(b[:]))))
	}
	return os.NewSyscallError("IP_UNICAST_IF", err)
}

// isNotAvailable says whether a source address was refused.
func isNotAvailable(err error) bool { return errors.Is(err, windows.WSAEADDRNOTAVAIL) }
