package packet

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// sum is a one's complement sum (RFC 1071) of bytes in little-endian 64-bit words. Sums of pieces may be added as long
// as each piece starts at an even offset.
type sum uint64

// plus adds two sums; the carry comes back in.
func (s sum) plus(t sum) sum {
	v, carry := bits.Add64(uint64(s), uint64(t), 0)
	return sum(v + carry) // cannot carry again: s+t ≤ 2⁶⁵-2
}

// fold makes the 16-bit sum in network byte order, not complemented.
func (s sum) fold() uint16 {
	v := uint64(s)
	v = v>>32 + v&0xffffffff
	for v>>16 != 0 {
		v = v>>16 + v&0xffff
	}
	return bits.ReverseBytes16(uint16(v))
}

// swapped is the sum of the same bytes at an odd offset.
func (s sum) swapped() sum {
	return sum(s.fold()) // fold swaps the bytes, and here nobody swaps them back
}

// sumBytes adds b up, padded with a zero byte when its length is odd. It is on the path of every byte that the kernel
// does not vouch for, so it takes 64 bytes a turn in one carry chain.
func sumBytes(b []byte) sum {
	var s, c uint64
	le := binary.LittleEndian
	for len(b) >= 64 {
		v := b[:64]
		s, c = bits.Add64(s, le.Uint64(v[0:]), 0)
		s, c = bits.Add64(s, le.Uint64(v[8:]), c)
		s, c = bits.Add64(s, le.Uint64(v[16:]), c)
		s, c = bits.Add64(s, le.Uint64(v[24:]), c)
		s, c = bits.Add64(s, le.Uint64(v[32:]), c)
		s, c = bits.Add64(s, le.Uint64(v[40:]), c)
		s, c = bits.Add64(s, le.Uint64(v[48:]), c)
		s, c = bits.Add64(s, le.Uint64(v[56:]), c)
		s += c // cannot carry: after a carry s is at most 2⁶⁴-2
		b = b[64:]
	}
	for ; len(b) >= 8; b = b[8:] {
		s, c = bits.Add64(s, le.Uint64(b), 0)
		s += c
	}
	var tail [8]byte
	copy(tail[:], b)
	return sum(s).plus(sum(le.Uint64(tail[:])))
}

// sumPieces adds up pieces that follow each other, of any lengths.
func sumPieces(pieces [][]byte) (s sum) {
	odd := false
	for _, b := range pieces {
		t := sumBytes(b)
		if odd {
			t = t.swapped()
		}
		s = s.plus(t)
		odd = odd != (len(b)%2 == 1)
	}
	return s
}

// pseudo is the sum of the pseudo-header of a TCP segment of n bytes (RFC 9293 §3.1, RFC 8200 §8.1).
func pseudo(src, dst netip.Addr, n int) sum {
	// Words of the header in network order, as sumBytes would find them in memory.
	s := sum(bits.ReverseBytes16(protocolTCP)).plus(sum(bits.ReverseBytes16(uint16(n >> 16)))).plus(sum(bits.ReverseBytes16(uint16(n))))
	return s.plus(sumAddr(src)).plus(sumAddr(dst))
}

func sumAddr(a netip.Addr) sum {
	if a.Is4() {
		b := a.As4()
		return sum(binary.LittleEndian.Uint32(b[:]))
	}
	b := a.As16()
	return sum(binary.LittleEndian.Uint64(b[:8])).plus(sum(binary.LittleEndian.Uint64(b[8:])))
}
