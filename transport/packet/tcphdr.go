package packet

import "encoding/binary"

// What this package knows of a TCP header (RFC 9293 §3.1): as much as segmentation offload does.
const (
	minHeader      = 20 // bytes
	maxHeader      = 60
	checksumOffset = 16 // of the checksum in the header
	flagsOffset    = 13

	flagFIN = 0x01
	flagSYN = 0x02
	flagPSH = 0x08
	flagCWR = 0x80
)

// headerLen is the length that a header of at least 20 bytes gives itself.
func headerLen(h []byte) int { return int(h[12]>>4) * 4 }

// validHeader says whether b holds a whole TCP header.
func validHeader(b []byte) bool {
	return len(b) >= minHeader && headerLen(b) >= minHeader && headerLen(b) <= len(b)
}

func setChecksum(h []byte, sum uint16) { binary.BigEndian.PutUint16(h[checksumOffset:], sum) }

// advanceSeq moves a header's sequence number on.
func advanceSeq(h []byte, n int) {
	binary.BigEndian.PutUint32(h[4:], binary.BigEndian.Uint32(h[4:])+uint32(n))
}
