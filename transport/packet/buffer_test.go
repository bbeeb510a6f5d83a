package packet

import "testing"

// The buffer that came back last is used next: it is the one that a cache still holds.
func TestTheLastBufferIsUsedFirst(t *testing.T) {
	p := hotPool{}
	p.cold.New = func() any { return &buffer{} }
	var taken []*buffer
	for range 2 * hotBuffers {
		taken = append(taken, p.get())
	}
	for _, b := range taken[:hotBuffers] {
		p.put(b)
	}
	for i := range hotBuffers {
		if p.get() != taken[hotBuffers-1-i] {
			t.Fatalf("buffer %d is not the one that came back last", i)
		}
	}
	for _, b := range taken {
		p.put(b) // more than stay hot
	}
	if p.n != hotBuffers || p.get() != taken[hotBuffers-1] {
		t.Errorf("%d are hot", p.n)
	}
}
