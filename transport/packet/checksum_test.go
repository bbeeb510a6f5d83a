package packet

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// slowSum is RFC 1071 §1 word for word, over pieces that are one message.
func slowSum(pieces ...[]byte) uint16 {
	var all []byte
	for _, p := range pieces {
		all = append(all, p...)
	}
	if len(all)%2 == 1 {
		all = append(all, 0)
	}
	var s uint32
	for ; len(all) > 0; all = all[2:] {
		s += uint32(binary.BigEndian.Uint16(all))
		s = s>>16 + s&0xffff
	}
	return uint16(s>>16 + s&0xffff)
}

// same compares sums in one's complement, where 0 and 0xffff are equal.
func same(a, b uint16) bool { return a == b || a^b == 0xffff && (a == 0 || b == 0) }

func TestSumOfTheExampleInRFC1071(t *testing.T) {
	b := []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}
	if got := sumBytes(b).fold(); got != 0xddf2 {
		t.Errorf("sum is %#x, want 0xddf2 (RFC 1071 §3)", got)
	}
}

func TestSumEqualsTheReferenceForEveryLengthAndContent(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random, ones := make([]byte, 300), make([]byte, 300)
	for i := range random {
		random[i], ones[i] = byte(rng.Uint32()), 0xff
	}
	for n := range random {
		for _, b := range [][]byte{random[:n], ones[:n], make([]byte, n)} {
			if got, want := sumBytes(b).fold(), slowSum(b); !same(got, want) {
				t.Fatalf("sum of %d bytes is %#x, want %#x", n, got, want)
			}
		}
	}
	for range 1000 {
		i, j := rng.IntN(300), rng.IntN(300)
		i, j = min(i, j), max(i, j)
		if got, want := sumPieces([][]byte{random[:i], random[i:j], random[j:]}).fold(), slowSum(random); !same(got, want) {
			t.Fatalf("sum of pieces cut at %d and %d is %#x, want %#x", i, j, got, want)
		}
	}
}

func TestPseudoHeaderEqualsTheReference(t *testing.T) {
	for _, c := range []struct{ src, dst string }{{"192.0.2.1", "198.51.100.254"}, {"2001:db8::1", "fe80::ffff:1"}} {
		src, dst := netip.MustParseAddr(c.src), netip.MustParseAddr(c.dst)
		for _, n := range []int{20, 1460, 65535} {
			want := slowSum(src.AsSlice(), dst.AsSlice(), []byte{0, 0, byte(n >> 8), byte(n), 0, 0, 0, 6})
			if got := pseudo(src, dst, n).fold(); !same(got, want) {
				t.Errorf("pseudo header %s→%s of %d bytes: %#x, want %#x", c.src, c.dst, n, got, want)
			}
		}
	}
}

func FuzzSum(f *testing.F) {
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 3)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		cut = max(0, min(cut, len(b)))
		want := slowSum(b)
		if got := sumBytes(b).fold(); !same(got, want) {
			t.Errorf("sum is %#x, want %#x", got, want)
		}
		if got := sumPieces([][]byte{b[:cut], b[cut:]}).fold(); !same(got, want) {
			t.Errorf("sum in two pieces is %#x, want %#x", got, want)
		}
	})
}

func BenchmarkSum(b *testing.B) {
	for _, n := range []int{64, 1460, MaxPayload} {
		b.Run(byteCount(n), func(b *testing.B) {
			buf := make([]byte, n)
			b.SetBytes(int64(n))
			for b.Loop() {
				_ = sumBytes(buf)
			}
		})
	}
}
