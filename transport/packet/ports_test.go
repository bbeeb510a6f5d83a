package packet

import (
	"math/rand/v2"
	"testing"
)

func TestCandidatesAreAlignedAndAboveTheKernelsRangeFirst(t *testing.T) {
	all := candidates(rand.New(rand.NewPCG(1, 1)), 32, 32768, 60999)
	place := func(b Block) int {
		switch {
		case b.First > 60999:
			return 0
		case int(b.First)+b.Count > 32768:
			return 1
		}
		return 2
	}
	seen := map[uint16]bool{}
	for i, b := range all {
		if !b.Valid() || seen[b.First] {
			t.Fatalf("%+v is not valid, or there twice", b)
		}
		seen[b.First] = true
		if i > 0 && place(all[i-1]) > place(b) {
			t.Fatalf("%+v comes after %+v", b, all[i-1])
		}
	}
	if place(all[0]) != 0 || place(all[len(all)-1]) != 2 || len(all) < 1700 {
		t.Errorf("%d candidates, from %+v to %+v", len(all), all[0], all[len(all)-1])
	}
	if other := candidates(rand.New(rand.NewPCG(2, 1)), 32, 32768, 60999); other[0] == all[0] && other[1] == all[1] {
		t.Error("the order does not depend on the seed")
	}
	t.Log("# a system that has given all ports to the kernel")
	if all := candidates(rand.New(rand.NewPCG(1, 1)), 16, 1024, 65535); len(all) == 0 || all[0].First < 1024 {
		t.Errorf("%d candidates", len(all))
	}
}
