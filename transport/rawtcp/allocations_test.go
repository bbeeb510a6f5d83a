//go:build !race

package rawtcp

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

// In steady state, a segment costs no allocation. (The race detector empties pools at random.)
// TestSteadyStateAllocatesNothing takes the least of several stretches: what else the process does only adds to one.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	client, path := cabled(t)
	// A collection empties the pools, and filling them again is no steady state.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	piece := make([]byte, 256<<10)
	send := func(n int) {
		for range n {
			if _, err := client.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(200)
	least := math.Inf(1)
	for range 5 {
		var before, after runtime.MemStats
		packets := path.sent.Load()
		runtime.ReadMemStats(&before)
		send(200)
		runtime.ReadMemStats(&after)
		packets = path.sent.Load() - packets
		least = min(least, float64(after.Mallocs-before.Mallocs)/float64(packets))
	}
	if least > 0.1 {
		t.Errorf("%.2f allocations for each packet", least)
	}
}
