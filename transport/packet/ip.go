package packet

import (
	"encoding/binary"
	"net/netip"
)

// What this package knows of IP (RFC 791 §3.1, RFC 8200 §3).
const (
	ipv4Header  = 20 // bytes without options; ours never have any
	ipv6Header  = 40
	protocolTCP = 6
	hopLimit    = 64
	topTTL      = 255 // what has it was sent on the link itself

	etherTypeIPv4 = 0x0800
	etherTypeIPv6 = 0x86dd

	ipv4DontFragment = 0x4000
	ipv4Fragment     = 0x3fff // more fragments, or an offset
	ipv4Offset       = 0x1fff
)

// ipHeaderLen is the length of the headers that appendIP makes for an address.
func ipHeaderLen(a netip.Addr) int {
	if a.Is4() {
		return ipv4Header
	}
	return ipv6Header
}

// appendIP appends the header of a packet with n bytes of TCP. It forbids fragmentation unless the packet allows it. The
// IPv4 identification of packets that are never fragmented means nothing (RFC 6864 §4.1); id keeps segments of one
// super-segment apart, as offload would. That of the others is 0 here, and the kernel's raw sockets put a unique one in
// its place (raw(7)).
func appendIP(b []byte, p *Packet, n int, id uint16) []byte {
	if p.Local.Is4() {
		return appendIPv4(b, p, n, id)
	}
	b = append(b, 0x60|p.Class>>4, p.Class<<4, 0, 0) // no flow label
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = append(b, protocolTCP, hopLimit)
	src, dst := p.Local.As16(), p.Remote.As16()
	return append(append(b, src[:]...), dst[:]...)
}

func appendIPv4(b []byte, p *Packet, n int, id uint16) []byte {
	start := len(b)
	b = append(b, 0x45, p.Class)
	b = binary.BigEndian.AppendUint16(b, uint16(ipv4Header+n))
	flags := uint16(ipv4DontFragment)
	if p.Fragment {
		id, flags = 0, 0
	}
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, flags)
	b = append(b, hopLimit, protocolTCP, 0, 0)
	src, dst := p.Local.As4(), p.Remote.As4()
	b = append(append(b, src[:]...), dst[:]...)
	binary.BigEndian.PutUint16(b[start+10:], ^sumBytes(b[start:]).fold())
	return b
}

// ipPacket is what an IP header says.
type ipPacket struct {
	src, dst netip.Addr
	class    uint8
	ttl      uint8  // or hop limit
	payload  []byte // TCP, without what a link layer has padded
	badSum   bool   // why it is not good: the header's checksum
	fragment bool   // … or that it is the first fragment of one
}

// parseIP reads an unfragmented packet of TCP; for IPv6, one without extension headers.
func parseIP(b []byte) (p ipPacket, ok bool) {
	if len(b) < 1 {
		return p, false
	}
	switch b[0] >> 4 {
	case 4:
		return parseIPv4(b)
	case 6:
		return parseIPv6(b)
	}
	return p, false
}

// parseIPv4 checks the header, too: "A host MUST verify the IP header checksum on every received datagram and silently
// discard every datagram that has a bad checksum" (RFC 1122 §3.2.1.2). The kernel, which would do it, comes after us. What
// it has merged has the checksum of the header that it has made.
func parseIPv4(b []byte) (p ipPacket, ok bool) {
	if len(b) < ipv4Header {
		return p, false
	}
	head, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case head < ipv4Header, total < head, total > len(b):
		return p, false
	case b[9] != protocolTCP, binary.BigEndian.Uint16(b[6:])&ipv4Offset != 0:
		return p, false
	case binary.BigEndian.Uint16(b[6:])&ipv4Fragment != 0:
		p.fragment = true
		return p, false
	case sumBytes(b[:head]).fold() != 0xffff:
		p.badSum = true
		return p, false
	}
	p.src, p.dst = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
	p.class, p.ttl, p.payload = b[1], b[8], b[head:total:total]
	return p, true
}

func parseIPv6(b []byte) (p ipPacket, ok bool) {
	if len(b) < ipv6Header || b[6] != protocolTCP {
		return p, false
	}
	total := ipv6Header + int(binary.BigEndian.Uint16(b[4:]))
	if total > len(b) {
		return p, false
	}
	p.src, p.dst = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
	if p.src.Is4In6() || p.dst.Is4In6() { // has no place on a wire
		return p, false
	}
	p.class, p.ttl, p.payload = b[0]<<4|b[1]>>4, b[7], b[ipv6Header:total:total]
	return p, true
}
