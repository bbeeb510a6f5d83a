//go:build !race

package rawtcp

import (
	"runtime"
	"testing"
)

// In steady state, a segment costs no allocation. (The race detector empties pools at random.)
func TestSteadyStateAllocatesNothing(t *testing.T) {
	client, path := cabled(t)
	piece := make([]byte, 256<<10)
	send := func(n int) {
		for range n {
			if _, err := client.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(200)
	var before, after runtime.MemStats
	packets := path.sent.Load()
	runtime.ReadMemStats(&before)
	send(1000)
	runtime.ReadMemStats(&after)
	packets = path.sent.Load() - packets
	if n := float64(after.Mallocs-before.Mallocs) / float64(packets); n > 0.2 {
		t.Errorf("%.2f allocations for each of %d packets", n, packets)
	}
}
