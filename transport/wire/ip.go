package wire

import (
	"encoding/binary"
	"net/netip"
)

// Lengths of IP headers without options or extensions.
const (
	IPv4HeaderLen = 20
	IPv6HeaderLen = 40
)

// IPHeaderLen is the length of the IP header that AppendHeaders puts before a segment to addr.
func IPHeaderLen(addr netip.Addr) int {
	if addr.Is4() {
		return IPv4HeaderLen
	}
	return IPv6HeaderLen
}

// defaultHopLimit is what RFC 1700 and every system use.
const defaultHopLimit = 64

// maxIPv6Extensions is how many extension headers are looked through for TCP.
const maxIPv6Extensions = 4

// The extension headers of IPv6 that may stand before TCP (RFC 8200 §4).
const (
	extHopByHop    = 0
	extRouting     = 43
	extDestination = 60
)

// appendIP adds the IP header before n bytes of TCP. The identification of a packet that is never fragmented means
// nothing (RFC 6864 §4.1) and is 0; see Segment.Fragment for the others.
func (s *Segment) appendIP(b []byte, n int) []byte {
	hops := s.HopLimit
	if hops == 0 {
		hops = defaultHopLimit
	}
	if !s.Src.Addr().Is4() {
		src, dst := s.Src.Addr().As16(), s.Dst.Addr().As16()
		b = append(b, 0x60, byte(s.ECN)<<4, 0, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
		b = append(b, protoTCP, hops)
		b = append(b, src[:]...)
		return append(b, dst[:]...)
	}
	flags := byte(0x40) // do not fragment
	if s.Fragment {
		flags = 0
	}
	head := len(b)
	src, dst := s.Src.Addr().As4(), s.Dst.Addr().As4()
	b = append(b, 0x45, byte(s.ECN))
	b = binary.BigEndian.AppendUint16(b, uint16(IPv4HeaderLen+n))
	b = append(b, 0, 0, flags, 0, hops, protoTCP, 0, 0)
	b = append(b, src[:]...)
	b = append(b, dst[:]...)
	binary.BigEndian.PutUint16(b[head+10:], ^fold(sumBytes(b[head:])))
	return b
}

// consumeIP reads addresses, hop limit and ECN, and returns the length of the packet and where TCP begins in it.
func (s *Segment) consumeIP(b []byte) (n, head int, ok bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	switch b[0] >> 4 {
	case 4:
		return s.consumeIPv4(b)
	case 6:
		return s.consumeIPv6(b)
	}
	return 0, 0, false
}

func (s *Segment) consumeIPv4(b []byte) (n, head int, ok bool) {
	if len(b) < IPv4HeaderLen {
		return 0, 0, false
	}
	head, n = int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if head < IPv4HeaderLen || n < head || n > len(b) || b[9] != protoTCP {
		return 0, 0, false
	}
	const moreFragments, offset = 0x2000, 0x1fff
	if binary.BigEndian.Uint16(b[6:])&(moreFragments|offset) != 0 || fold(sumBytes(b[:head])) != 0xffff {
		return 0, 0, false
	}
	s.ECN, s.HopLimit = ECN(b[1]&3), b[8]
	s.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:16])), 0)
	s.Dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[16:20])), 0)
	return n, head, true
}

func (s *Segment) consumeIPv6(b []byte) (n, head int, ok bool) {
	if len(b) < IPv6HeaderLen {
		return 0, 0, false
	}
	n = IPv6HeaderLen + int(binary.BigEndian.Uint16(b[4:]))
	if n > len(b) {
		return 0, 0, false
	}
	s.ECN, s.HopLimit = ECN(b[1]>>4&3), b[7]
	s.Src = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])), 0)
	s.Dst = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[24:40])), 0)
	if s.Src.Addr().Is4In6() || s.Dst.Addr().Is4In6() {
		return 0, 0, false // never on the wire (RFC 4291 §2.5.5.2), and elsewhere taken for IPv4
	}
	head = IPv6HeaderLen
	next := b[6]
	for range maxIPv6Extensions {
		if next == protoTCP {
			return n, head, true
		}
		if next != extHopByHop && next != extRouting && next != extDestination || n-head < 8 {
			return 0, 0, false
		}
		next, head = b[head], head+8+int(b[head+1])*8
		if head > n {
			return 0, 0, false
		}
	}
	return n, head, next == protoTCP
}

// addrPort puts the port at the start of b to the address of a.
func addrPort(a netip.AddrPort, b []byte) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr(), binary.BigEndian.Uint16(b))
}
