package wire

import (
	"math"
	"testing"
)

func TestSeqAroundTheWrap(t *testing.T) {
	for _, c := range []struct {
		a, b Seq
		diff int
	}{
		{0, 0, 0}, {1, 0, 1}, {0, math.MaxUint32, 1}, {math.MaxUint32, 0, -1},
		{0x10, 0xfffffff0, 0x20}, {0x7fffffff, 0, 0x7fffffff}, {0x80000001, 0, -0x7fffffff},
	} {
		if got := c.a.Diff(c.b); got != c.diff {
			t.Errorf("%d.Diff(%d) = %d, want %d", c.a, c.b, got, c.diff)
		}
		if got, want := c.a.Less(c.b), c.diff < 0; got != want {
			t.Errorf("%d.Less(%d) = %v", c.a, c.b, got)
		}
		if got := c.b.Add(c.diff); got != c.a {
			t.Errorf("%d.Add(%d) = %d, want %d", c.b, c.diff, got, c.a)
		}
	}
}

func TestDSNAroundTheWrap(t *testing.T) {
	for _, c := range []struct {
		a, b uint64
		diff int64
	}{
		{0, 0, 0}, {7, 5, 2}, {5, 7, -2}, {0, math.MaxUint64, 1}, {math.MaxUint64, 0, -1},
		{1 << 63, 1, math.MaxInt64},
	} {
		if got := DSNDiff(c.a, c.b); got != c.diff {
			t.Errorf("DSNDiff(%d, %d) = %d, want %d", c.a, c.b, got, c.diff)
		}
		if got, want := DSNLess(c.a, c.b), c.diff < 0; got != want {
			t.Errorf("DSNLess(%d, %d) = %v", c.a, c.b, got)
		}
	}
}

func TestPromoteTakesTheNearest(t *testing.T) {
	for _, c := range []struct {
		name string
		ref  uint64
		low  uint32
		want uint64
	}{
		{"same", 0x1_0000_0005, 5, 0x1_0000_0005},
		{"ahead", 0x1_0000_0005, 0x4005, 0x1_0000_4005},
		{"ahead over a 32-bit wrap", 0x1_ffff_fff0, 0x10, 0x2_0000_0010},
		{"behind over a 32-bit wrap", 0x2_0000_0010, 0xffff_fff0, 0x1_ffff_fff0},
		{"behind, reordered", 0x2_0000_5000, 0x4000, 0x2_0000_4000},
		{"just under 2 GB ahead", 0x5_0000_0000, 0x7fff_ffff, 0x5_7fff_ffff},
		{"just over 2 GB ahead is behind", 0x5_0000_0000, 0x8000_0001, 0x4_8000_0001},
		{"over the 64-bit wrap", math.MaxUint64 - 3, 4, 4},
		{"back over the 64-bit wrap", 4, 0xffff_fffc, math.MaxUint64 - 3},
	} {
		if got := Promote(c.ref, c.low); got != c.want {
			t.Errorf("%s: Promote(%x, %x) = %x, want %x", c.name, c.ref, c.low, got, c.want)
		}
	}
}

func FuzzPromote(f *testing.F) {
	f.Add(uint64(0), int32(0))
	f.Add(uint64(1<<32-1), int32(1))
	f.Add(uint64(0), int32(-1))
	f.Fuzz(func(t *testing.T, ref uint64, step int32) {
		want := ref + uint64(int64(step))
		if got := Promote(ref, uint32(want)); got != want {
			t.Errorf("Promote(%x, %x) = %x, want %x", ref, uint32(want), got, want)
		}
	})
}
