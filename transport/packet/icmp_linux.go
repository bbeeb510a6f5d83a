package packet

import (
	"errors"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// errorTap is a raw socket that receives ICMP or ICMPv6 messages about our segments. The reader owns it.
type errorTap struct {
	s  *Socket
	fd int
	v6 bool
	b  [2048]byte // a message should not be longer than 576 or 1280 bytes (RFC 1812 §4.3.2.3, RFC 4443 §2.4)
}

// openErrorTap opens it. The kernel would tell a raw TCP socket too, but hand that every TCP packet of the host as well.
func openErrorTap(s *Socket, v6 bool) (t *errorTap, err error) {
	t = &errorTap{s: s, v6: v6}
	domain, protocol, program := unix.AF_INET, unix.IPPROTO_ICMP, s.block.errorsIPv4()
	if v6 {
		domain, protocol, program = unix.AF_INET6, unix.IPPROTO_ICMPV6, s.block.errorsIPv6()
	}
	if t.fd, err = open(domain, unix.SOCK_RAW, protocol); err != nil {
		return nil, err
	}
	if err = errors.Join(t.setTypes(), attach(t.fd, program), bindDevice(t.fd, s.index, s.name)); err != nil {
		closeAll(t.fd)
		return nil, err
	}
	return t, nil
}

// setTypes lets only the messages through that make reports; the filters take a set bit for "no".
func (t *errorTap) setTypes() error {
	if !t.v6 {
		err := unix.SetsockoptInt(t.fd, unix.SOL_RAW, unix.ICMP_FILTER, ^(1 << icmpUnreachable))
		return os.NewSyscallError("ICMP_FILTER", err)
	}
	var f unix.ICMPv6Filter
	for i := range f.Data {
		f.Data[i] = ^uint32(0)
	}
	f.Data[0] &^= 1<<icmpv6Unreachable | 1<<icmpv6TooBig
	return os.NewSyscallError("ICMPV6_FILTER", unix.SetsockoptICMPv6Filter(t.fd, unix.IPPROTO_ICMPV6, unix.ICMPV6_FILTER, &f))
}

func (t *errorTap) file() int { return t.fd }

// take receives what is there into ps.
func (t *errorTap) take(ps []Packet) (n int, err error) {
	for n < len(ps) {
		k, from, err := unix.Recvfrom(t.fd, t.b[:], unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return n, nil
		case err != nil: // what the socket itself has been told, such as ENETDOWN: it is read once
			t.s.received.failures.Add(1)
			return n, nil
		}
		if t.read(t.b[:k], from, &ps[n]) {
			n++
		}
	}
	return n, nil
}

func (t *errorTap) read(b []byte, from unix.Sockaddr, p *Packet) bool {
	var r Report
	var local, remote netip.Addr
	ok := false
	if sa, six := from.(*unix.SockaddrInet6); six {
		r, local, remote, ok = parseICMPv6(b, netip.AddrFrom16(sa.Addr))
	} else {
		r, local, remote, ok = parseICMPv4(b)
	}
	if !ok || !t.s.local(local) {
		return false
	}
	*p = Packet{Local: local, Remote: remote, Interface: t.s.index, At: time.Now(), Report: &r}
	t.s.received.reports.Add(1)
	return true
}

func (t *errorTap) close() { closeAll(t.fd) }
