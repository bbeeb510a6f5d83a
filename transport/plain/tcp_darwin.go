package plain

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"hawser/transport/nonblock"
)

// setCongestion does nothing: macOS has no choice of congestion control for a socket.
func setCongestion(uintptr, string) {}

// CongestionInForce is not known: macOS does not tell.
func CongestionInForce(string) string { return "" }

// bindInterface ties the socket to a device by IP_BOUND_IF or IPV6_BOUND_IF.
func bindInterface(fd uintptr, name string, v6 bool) error {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return fmt.Errorf("interface %q does not exist: %w", name, err)
	}
	if v6 {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_BOUND_IF, ifi.Index)
	} else {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BOUND_IF, ifi.Index)
	}
	return os.NewSyscallError("IP_BOUND_IF", err)
}

// Unsent cannot be asked in bytes: what poll(2) says, by TCP_NOTSENT_LOWAT, decides between nothing and a great deal.
func (s *tcpSocket) Unsent() int {
	n := 0
	_ = s.raw.Control(func(fd uintptr) {
		if !nonblock.Ready(fd, unix.POLLOUT) {
			n = 2 * limitMax
		}
	})
	return n
}

// SetLowat sets TCP_NOTSENT_LOWAT.
func (s *tcpSocket) SetLowat(n int) {
	_ = s.raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, n)
	})
}

// SetPacing cannot be done.
func (s *tcpSocket) SetPacing(uint64) error {
	return fmt.Errorf("plain: pacing: %w", errors.ErrUnsupported)
}

// Info asks TCP_CONNECTION_INFO.
func (s *tcpSocket) Info() (i Info) {
	_ = s.raw.Control(func(fd uintptr) {
		t, err := unix.GetsockoptTCPConnectionInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_CONNECTION_INFO)
		if err != nil {
			return
		}
		i = Info{
			Cwnd:        int(t.Snd_cwnd),
			RTT:         time.Duration(t.Srtt) * time.Millisecond,
			Retransmits: t.Txretransmitpackets,
			Segments:    t.Txpackets,
		}
	})
	return i
}

// Congestion is not told by the system.
func (s *tcpSocket) Congestion() string { return "" }
