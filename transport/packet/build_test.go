package packet

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Addresses of tests, by family.
var (
	here4, there4 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.2")
	here6, there6 = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:1::2")
)

func byteCount(n int) string { return fmt.Sprintf("%dB", n) }

// tcpHeader builds a TCP header with n bytes of options.
func tcpHeader(src, dst uint16, seq uint32, flags byte, options int) []byte {
	h := make([]byte, minHeader+options)
	binary.BigEndian.PutUint16(h, src)
	binary.BigEndian.PutUint16(h[2:], dst)
	binary.BigEndian.PutUint32(h[4:], seq)
	h[12], h[13] = byte(len(h)/4)<<4, flags
	binary.BigEndian.PutUint16(h[14:], 1000)
	for i := minHeader; i < len(h); i++ {
		h[i] = 1 // NOP
	}
	return h
}

// data is n bytes that differ from those at other offsets.
func data(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8)*7
	}
	return b
}

// ipPacketOf builds the whole IP packet of p as one segment.
func ipPacketOf(p Packet) []byte {
	n := p.Len()
	head := append([]byte(nil), p.Header...)
	pieces := append([][]byte{p.Payload}, p.More...)
	finishChecksum(p.Local, p.Remote, head, pieces)
	b := append(appendIP(nil, &p, len(head)+n, 0), head...)
	for _, piece := range pieces {
		b = append(b, piece...)
	}
	return b
}
