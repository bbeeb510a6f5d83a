package wire

import (
	"bytes"
	"testing"
)

func TestChecksumVectors(t *testing.T) {
	for _, c := range []struct {
		name    string
		m       Mapping
		payload string
		want    uint16
	}{
		{"odd length", Mapping{DSN: 0x0102030405060708, SSN: 1, Len: 5}, "hello", 0xac13},
		{"carries", Mapping{DSN: 0xfffffffffffffff0, SSN: 0x80000000, Len: 3}, "\xff\xff\xff", 0x810a},
		{"seven bytes", Mapping{DSN: 0x1000, SSN: 0x65, Len: 7}, "abcdefg", 0x5e66},
		{"DATA_FIN with data", Mapping{DSN: 0x50, SSN: 1, Len: 10, Fin: true}, "0123456789", 0xfa99},
		{"Linux, data", Mapping{DSN: 0x64b267696e9e45be, SSN: 1, Len: 100}, string(bytes.Repeat([]byte("x"), 100)), 0xf79a},
		{"Linux, lone DATA_FIN", Mapping{DSN: 0x64b267696e9f4622, Fin: true}, "", 0x7f21},
		{"Linux, MP_CAPABLE with data", Mapping{DSN: 0xb992bedf1fbe6c3c, SSN: 1, Len: 10}, "hhhhhhhhhh", 0xf17d},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := []byte(c.payload)
			if got := c.m.Checksum(p); got != c.want {
				t.Errorf("got %04x, want %04x", got, c.want)
			}
			for i := range p { // padded at the end of the mapping only, wherever it is cut
				for j := i; j <= len(p); j++ {
					if got := c.m.Checksum(p[:i], p[i:j], p[j:]); got != c.want {
						t.Fatalf("cut at %d and %d: got %04x, want %04x", i, j, got, c.want)
					}
				}
			}
		})
	}
}

// A plain reading of RFC 1071, word by word, as the reference for long payloads.
func referenceChecksum(m Mapping, p []byte) uint16 {
	b := []byte{
		byte(m.DSN >> 56), byte(m.DSN >> 48), byte(m.DSN >> 40), byte(m.DSN >> 32),
		byte(m.DSN >> 24), byte(m.DSN >> 16), byte(m.DSN >> 8), byte(m.DSN),
		byte(m.SSN >> 24), byte(m.SSN >> 16), byte(m.SSN >> 8), byte(m.SSN),
		byte(m.dataLen() >> 8), byte(m.dataLen()), 0, 0,
	}
	b = append(b, p...)
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	var sum uint64
	for i := 0; i < len(b); i += 2 {
		sum += uint64(b[i])<<8 | uint64(b[i+1])
		if sum > 0xffff {
			sum = sum - 0xffff
		}
	}
	return ^uint16(sum)
}

func FuzzChecksum(f *testing.F) {
	f.Add(uint64(1), uint32(2), []byte("abc"), uint16(1))
	f.Add(^uint64(0), ^uint32(0), bytes.Repeat([]byte{0xff}, 1421), uint16(700))
	f.Add(uint64(0), uint32(0), []byte{}, uint16(0))
	f.Fuzz(func(t *testing.T, dsn uint64, ssn uint32, p []byte, cut uint16) {
		p = p[:min(len(p), 65535)]
		m := Mapping{DSN: dsn, SSN: ssn, Len: uint16(len(p))}
		want := referenceChecksum(m, p)
		i := min(int(cut), len(p))
		if got := m.Checksum(p[:i], p[i:]); got != want {
			t.Errorf("%v cut at %d: got %04x, want %04x", m, i, got, want)
		}
	})
}
