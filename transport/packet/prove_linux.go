package packet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	proofTime  = 500 * time.Millisecond // for the control's answer
	proofGrace = 10 * time.Millisecond  // for answers that another processor is late with
)

// answerError: the kernel answers for a port that is held.
type answerError struct {
	port  uint16
	flags byte
}

func (e *answerError) Error() string {
	return fmt.Sprintf("packet: the kernel answers for TCP port %d (flags %#02x) although a deaf socket listens there: this system cannot run the raw carrier", e.port, e.flags)
}

// prove fails if the kernel answers segments to held ports. It finds out whether it does so if they come with the top TTL.
func (p *Ports) prove() error {
	err := p.proveAt(topTTL)
	p.deaf = err == nil
	var answered *answerError
	if errors.As(err, &answered) {
		err = p.proveAt(hopLimit)
	}
	return err
}

// proveAt sends segments with a TTL to all held ports over loopback and fails if the kernel answers one. A last segment goes
// to a port that is not held: its RST proves that answers are seen.
func (p *Ports) proveAt(ttl byte) error {
	lo, err := net.InterfaceByName("lo")
	if err != nil || lo.Flags&net.FlagUp == 0 {
		return errors.New("packet: cannot prove that the kernel stays silent: interface lo is down: run `ip link set lo up`")
	}
	if err := p.proveFor(lo.Index, netip.AddrFrom4([4]byte{127, 0, 0, 1}), ttl); err != nil {
		return err
	}
	err = p.proveFor(lo.Index, netip.IPv6Loopback(), ttl)
	if errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT) { // no IPv6 here
		return nil
	}
	return err
}

// proof is one family's.
type proof struct {
	addr    netip.Addr
	ttl     byte
	ports   Block
	control uint16 // a port that the kernel answers for with RST
	from    uint16 // the port that segments pretend to come from
	witness int    // packet socket
	raw     int
}

func (p *Ports) proveFor(lo int, addr netip.Addr, ttl byte) error {
	control, controlPort, err := closedPort(addr)
	if err != nil {
		return err
	}
	defer closeAll(control)
	from, fromPort, err := closedPort(addr)
	if err != nil {
		return err
	}
	defer closeAll(from)
	t := proof{addr: addr, ttl: ttl, ports: p.block, control: controlPort, from: fromPort}
	if t.witness, err = openWitness(lo, addr, fromPort); err != nil {
		return err
	}
	defer closeAll(t.witness)
	domain := unix.AF_INET
	if addr.Is6() {
		domain = unix.AF_INET6
	}
	if t.raw, err = open(domain, unix.SOCK_RAW, unix.IPPROTO_RAW); err != nil {
		return err
	}
	defer closeAll(t.raw)
	return t.run()
}

// closedPort takes a port that nobody listens on: bound, so that nobody else comes, and no more.
func closedPort(addr netip.Addr) (fd int, port uint16, err error) {
	domain := unix.AF_INET
	sa := unix.Sockaddr(&unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if addr.Is6() {
		domain, sa = unix.AF_INET6, &unix.SockaddrInet6{Addr: addr.As16()}
	}
	if fd, err = unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP); err != nil {
		return -1, 0, os.NewSyscallError("socket", err)
	}
	if err = unix.Bind(fd, sa); err == nil {
		sa, err = unix.Getsockname(fd)
	}
	if err != nil {
		closeAll(fd)
		return -1, 0, os.NewSyscallError("bind", err)
	}
	if v4, ok := sa.(*unix.SockaddrInet4); ok {
		return fd, uint16(v4.Port), nil
	}
	return fd, uint16(sa.(*unix.SockaddrInet6).Port), nil
}

// openWitness opens a packet socket that sees TCP to a port on loopback, before any firewall.
func openWitness(lo int, addr netip.Addr, port uint16) (int, error) {
	fd, err := open(unix.AF_PACKET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return -1, err
	}
	b, etherType := Block{First: port, Count: 1}, uint16(etherTypeIPv4)
	program := b.receiveIPv4(networkRelative)
	if addr.Is6() {
		program, etherType = b.receiveIPv6(networkRelative), etherTypeIPv6
	}
	err = attach(fd, program)
	if err == nil {
		err = os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: netOrder(etherType), Ifindex: lo}))
	}
	if err != nil {
		closeAll(fd)
		return -1, err
	}
	return fd, nil
}

// run sends and watches.
func (t *proof) run() error {
	const syn, ack = 0x02, 0x10
	for i := range t.ports.Count {
		for _, flags := range []byte{ack, syn} {
			if err := t.send(t.ports.First+uint16(i), flags); err != nil {
				return err
			}
		}
	}
	if err := t.send(t.control, syn); err != nil {
		return err
	}
	seen := false
	for deadline := time.Now().Add(proofTime); ; {
		port, flags, ok := t.receive(time.Until(deadline))
		switch {
		case !ok && seen:
			return nil
		case !ok:
			return errors.New("packet: cannot prove that the kernel stays silent on our ports: no segment came back over lo: a local firewall drops TCP there")
		case port == t.control && !seen:
			seen, deadline = true, time.Now().Add(proofGrace)
		case t.ports.Has(port):
			return &answerError{port, flags}
		}
	}
}

// send sends one segment to a port of ours.
func (t *proof) send(port uint16, flags byte) error {
	h := make([]byte, minHeader)
	h[0], h[1], h[2], h[3] = byte(t.from>>8), byte(t.from), byte(port>>8), byte(port)
	h[12], h[13], h[14] = minHeader/4<<4, flags, 0x10
	p := Packet{Local: t.addr, Remote: t.addr, Header: h}
	finishChecksum(t.addr, t.addr, h, nil)
	b := append(appendIP(nil, &p, len(h), 0), h...)
	sa := unix.Sockaddr(&unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if t.addr.Is6() {
		sa = &unix.SockaddrInet6{Addr: t.addr.As16()}
		b[7] = t.ttl
	} else {
		b[8] = t.ttl // the kernel makes the header's checksum (raw(7))
	}
	if err := unix.Sendto(t.raw, b, 0, sa); err != nil {
		return fmt.Errorf("packet: cannot prove that the kernel stays silent: send over lo: %w", err)
	}
	return nil
}

// receive waits for an answer, and gives the port that it came from and its flags.
func (t *proof) receive(wait time.Duration) (port uint16, flags byte, ok bool) {
	deadline := time.Now().Add(wait)
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return 0, 0, false
		}
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(t.witness), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return 0, 0, false
		}
		var b [256]byte
		n, _, err := unix.Recvfrom(t.witness, b[:], unix.MSG_DONTWAIT)
		if err != nil {
			continue
		}
		if ip, good := parseIP(b[:n]); good && validHeader(ip.payload) {
			return uint16(ip.payload[0])<<8 | uint16(ip.payload[1]), ip.payload[13], true
		}
	}
}
