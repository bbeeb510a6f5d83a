package plain

import (
	"testing"
	"time"
)

// TestAcksOfAFastPathAreFew: an acknowledgement is for a share of time at slow rates, and for no less than ackPause at
// high ones.
func TestAcksOfAFastPathAreFew(t *testing.T) {
	for _, c := range []struct{ rate, every int }{
		{0, ackEveryMin},
		{10_000_000, 25_000},
		{100_000_000, ackEveryMax},
		{300_000_000, 150_000},
		{2_000_000_000, ackEveryFast},
	} {
		r := receipt{set: true, received: rateMeter{rate: c.rate}}
		const piece = 1000
		n := 0
		for !r.now {
			r.add(time.Unix(1, 0), piece)
			n += piece
		}
		if n < c.every || n >= c.every+piece {
			t.Errorf("%d bytes/s: acknowledged after %d bytes, want %d", c.rate, n, c.every)
		}
	}
}
