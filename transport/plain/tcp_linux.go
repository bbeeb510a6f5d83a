package plain

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"hawser/transport/nonblock"
)

// CongestionInForce is the congestion control that connections get which ask for the one named: the system's default
// where the kernel does not have it or does not let this user choose it; empty: not known.
func CongestionInForce(name string) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return ""
	}
	defer func() { _ = unix.Close(fd) }()
	setCongestion(uintptr(fd), name)
	got, err := unix.GetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	if err != nil {
		return ""
	}
	return got
}

// setCongestion asks for a congestion control by name. When the kernel does not have it, or does not let this user
// choose it, its default stays; State.Congestion tells which one runs.
func setCongestion(fd uintptr, name string) {
	if name != "" {
		_ = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, name)
	}
}

// bindInterface ties the socket to a device.
func bindInterface(fd uintptr, name string, _ bool) error {
	err := unix.BindToDevice(int(fd), name)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENODEV):
		return fmt.Errorf("interface %q does not exist: %w", name, err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("binding to interface %q needs Linux 5.7 or CAP_NET_RAW; or give the uplink by source address: %w", name, err)
	}
	return os.NewSyscallError("SO_BINDTODEVICE", err)
}

// Unsent asks SIOCOUTQNSD: written and not yet sent.
func (s *tcpSocket) Unsent() int {
	n := 0
	_ = s.raw.Control(func(fd uintptr) {
		if v, err := nonblock.IoctlInt(fd, unix.SIOCOUTQNSD); err == nil {
			n = v
		}
	})
	return n
}

// SetLowat sets TCP_NOTSENT_LOWAT to twice n: Linux wakes a poller below half of it, and takes small records beside the
// data up to the whole.
func (s *tcpSocket) SetLowat(n int) {
	_ = s.raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, 2*n)
	})
}

// SetPacing sets SO_MAX_PACING_RATE (it needs no privilege and no fq queue).
func (s *tcpSocket) SetPacing(rate uint64) error {
	if rate == 0 {
		rate = 1<<32 - 1 // "no cap" for the 4-byte form of the option
	}
	return control(s.raw, func(fd uintptr) error {
		err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MAX_PACING_RATE, int(min(rate, 1<<32-1)))
		return os.NewSyscallError("SO_MAX_PACING_RATE", err)
	})
}

// Info asks TCP_INFO.
func (s *tcpSocket) Info() (i Info) {
	_ = s.raw.Control(func(fd uintptr) {
		t, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return
		}
		i = Info{
			Cwnd:        int(t.Snd_cwnd) * int(t.Snd_mss),
			RTT:         time.Duration(t.Rtt) * time.Microsecond,
			Sacked:      int(t.Sacked) * int(t.Snd_mss),
			Arrived:     t.Bytes_acked + uint64(t.Sacked)*uint64(t.Snd_mss),
			Retransmits: uint64(t.Total_retrans),
			Segments:    uint64(t.Segs_out),
		}
	})
	return i
}

// Congestion is the congestion control in force.
func (s *tcpSocket) Congestion() (name string) {
	_ = s.raw.Control(func(fd uintptr) {
		name, _ = unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	})
	return name
}
