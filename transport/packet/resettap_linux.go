package packet

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"
)

// resetTap sees the resets that this host sends from our ports. Those that nobody here has ordered are a firewall's, which
// takes what the peer sends for forged because it has not seen what packet sockets send. Nothing else tells a side that
// only receives: the firewall's reset goes to the peer. It sees those of the raw IP sockets too, which the carrier knows
// to be its own. The reader owns it.
//
// It is the packet socket that data are sent by, because a packet socket is not shown what it has sent itself.
type resetTap struct {
	s *Socket
	b [vnetLen + ethernet + ipv6Header + maxHeader]byte
}

// openResetTap lets the socket receive what leaves by the interface, behind a filter.
func openResetTap(s *Socket) (*resetTap, error) {
	if err := attach(s.out, s.block.sentResets(networkRelative)); err != nil {
		return nil, err
	}
	return &resetTap{s: s}, bindPacket(s.out, unix.ETH_P_ALL, s.index)
}

func (t *resetTap) file() int { return t.s.out }

// take makes a report of the first reset that is there, behind all packets that have come before it: the one that it answers
// may be the last that a peer has to say. While some wait it makes none; the poller tells of it again. Only one at a time,
// for of the next nobody knows yet whether it was there before the taps were seen to be empty.
func (t *resetTap) take(ps []Packet) (n int, err error) {
	for _, tap := range t.s.taps {
		if tap.waiting() {
			return 0, nil
		}
	}
	k, from, err := unix.Recvfrom(t.s.out, t.b[:], unix.MSG_DONTWAIT)
	if err != nil {
		return 0, nil // nothing is there, or the interface is down: the taps tell
	}
	if at, ok := from.(*unix.SockaddrLinklayer); ok && t.read(t.b[:k], at.Ifindex, &ps[0]) {
		n = 1
	}
	return n, nil
}

// read makes a report of a frame with its virtio-net header; false: it is not what the filter should pass.
func (t *resetTap) read(b []byte, index int, p *Packet) bool {
	f := t.s.interfaces.get(index)
	if f == nil {
		return false
	}
	skip := vnetLen
	now := time.Now()
	if f.outlook(now).link == linkEthernet {
		skip += ethernet
	}
	if len(b) < skip {
		return false
	}
	ip, ok := parseIP(b[skip:])
	if !ok || !validHeader(ip.payload) || !t.s.local(ip.src) {
		return false
	}
	h := ip.payload
	*p = Packet{Local: ip.src, Remote: ip.dst, Interface: index, At: now, Report: &Report{
		Kind: ReportReset, From: ip.src,
		LocalPort: binary.BigEndian.Uint16(h), RemotePort: binary.BigEndian.Uint16(h[2:]), Seq: binary.BigEndian.Uint32(h[4:]),
	}}
	t.s.received.reports.Add(1)
	return true
}

// close leaves the socket to those who send by it.
func (t *resetTap) close() {}
