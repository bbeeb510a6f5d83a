package packettest

import (
	"bytes"
	"encoding/binary"

	"hawser/transport/packet"
)

// What may differ between segments that are merged, and what ends a merged packet.
const (
	flagFIN  = 0x01
	flagSYN  = 0x02
	flagRST  = 0x04
	flagPSH  = 0x08
	flagURG  = 0x20
	flagsAt  = 13
	ipv4Size = 20
	ipv6Size = 40
)

// wireSize is a segment's size with its IP header.
func wireSize(p *packet.Packet) int {
	if p.Local.Is4() {
		return ipv4Size + len(p.Header) + p.Len()
	}
	return ipv6Size + len(p.Header) + p.Len()
}

// follow counts how many packets from the first on are one super-segment.
func follow(ps []packet.Packet) int {
	first := &ps[0]
	segment, total := len(first.Payload), len(first.Payload)
	if first.Report != nil || segment == 0 {
		return 1
	}
	for n := 1; n < len(ps); n++ {
		last, p := &ps[n-1], &ps[n]
		k := len(p.Payload)
		if p.Report != nil || k == 0 || k > segment || len(last.Payload) < segment || total+k > packet.MaxPayload ||
			last.Header[flagsAt]&(flagFIN|flagPSH|flagURG|flagSYN|flagRST) != 0 || !continues(first, p, total) {
			return n
		}
		total += k
	}
	return len(ps)
}

// continues says whether p differs from the first of its kind only as the segment n bytes later does.
func continues(first, p *packet.Packet, n int) bool {
	if p.Local != first.Local || p.Remote != first.Remote || p.Interface != first.Interface || p.Class != first.Class ||
		len(p.Header) != len(first.Header) {
		return false
	}
	if binary.BigEndian.Uint32(p.Header[4:]) != binary.BigEndian.Uint32(first.Header[4:])+uint32(n) {
		return false
	}
	h, g := p.Header, first.Header
	return bytes.Equal(h[:4], g[:4]) && bytes.Equal(h[8:flagsAt], g[8:flagsAt]) && (h[flagsAt]^g[flagsAt])&^(flagFIN|flagPSH) == 0 &&
		bytes.Equal(h[flagsAt+1:16], g[flagsAt+1:16]) && bytes.Equal(h[18:], g[18:])
}

// merge makes one packet of what follow has counted.
func merge(ps []packet.Packet) packet.Packet {
	if len(ps) == 1 {
		p := ps[0]
		p.SegmentSize = len(p.Payload)
		return p
	}
	p, last := ps[0], &ps[len(ps)-1]
	p.SegmentSize = len(p.Payload)
	p.Header = bytes.Clone(p.Header)
	p.Header[flagsAt] |= last.Header[flagsAt]
	p.At = last.At
	for i := range ps[1:] {
		p.More = append(p.More, ps[i+1].Payload)
	}
	p.Own()
	for i := range ps {
		ps[i].Release()
	}
	return p
}
