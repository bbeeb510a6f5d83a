//go:build !race

package mptcp

import (
	"testing"
	"time"

	"hawser/transport/plain/plaintest"
)

// TestJitterDoesNotStarveAPath: a link whose round trip wanders between 20 and 60 ms is filled. The cap must not count on
// the shortest round trip, and the start not take for a queue what is late for a moment.
func TestJitterDoesNotStarveAPath(t *testing.T) {
	t.Parallel()
	link := plaintest.LinkConfig{Rate: 50e6, Delay: 20 * time.Millisecond, Jitter: 10 * time.Millisecond}
	reference := alone(t, link, "bbr")
	share := func(part func(got [2]int) int) float64 {
		return middle(t, func(t *testing.T, seed uint64) float64 {
			got := bonded(t, conditions{links: []plaintest.LinkConfig{link}, seed: seed}, seed%2 == 0)
			return float64(part(got)) / float64(part(reference))
		})
	}
	start := share(func(got [2]int) int { return got[0] })
	steady := share(func(got [2]int) int { return got[1] - got[0] })
	t.Logf("%.3f of TCP alone in the first 2 s, %.3f from then on", start, steady)
	if start < 0.96 || steady < 0.985 {
		t.Errorf("%.3f of TCP alone in the first 2 s, %.3f from then on", start, steady)
	}
}
