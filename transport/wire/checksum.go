package wire

import (
	"encoding/binary"
	"math/bits"
)

// Checksum is the DSS checksum of a mapping and its payload (RFC 8684 §3.3.1): the Internet checksum (RFC 1071) of a
// pseudo header (8-byte DSN, SSN, data-level length with the DATA_FIN, zero) and of the payload, which may come in any
// number of chunks. MP_CAPABLE with data counts as a mapping of SSN 1. An infinite mapping has checksum 0 instead.
// A receiver that puts in what it got compares the result with DSS.Sum.
func (m Mapping) Checksum(chunks ...[]byte) uint16 {
	// The eight-byte pieces are added as they are: one's complement sums do not depend on where the words are cut,
	// as long as each byte keeps its parity.
	return ^sumChunks(add(add(m.DSN, uint64(m.SSN)), uint64(m.dataLen())), chunks)
}

// sumChunks adds the bytes of chunks, as if they were one run, to sum.
func sumChunks(sum uint64, chunks [][]byte) uint16 {
	odd := false
	for _, c := range chunks {
		s := uint64(fold(sumBytes(c)))
		if odd {
			s = uint64(bits.ReverseBytes16(uint16(s)))
		}
		sum = add(sum, s)
		odd = odd != (len(c)%2 == 1)
	}
	return fold(sum)
}

// sumBytes adds b up in one's complement, padded with a zero byte when odd.
func sumBytes(b []byte) (sum uint64) {
	for ; len(b) >= 8; b = b[8:] {
		sum = add(sum, binary.BigEndian.Uint64(b))
	}
	var tail [8]byte
	copy(tail[:], b)
	return add(sum, binary.BigEndian.Uint64(tail[:]))
}

// add is the one's complement sum of 64 bits: the carry comes back in.
func add(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	return sum + carry // cannot carry again: a+b ≤ 2⁶⁵-2
}

// fold makes 16 bits of a one's complement sum.
func fold(sum uint64) uint16 {
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}
