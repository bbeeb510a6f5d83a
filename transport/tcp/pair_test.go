package tcp

import (
	"fmt"
	"testing"
	"time"
)

func TestStreamsArriveWholeOnAGoodPath(t *testing.T) {
	w := newWorld(t, 1, path{delay: 10 * time.Millisecond, rate: 12_500_000, queue: 500_000}, nil)
	w.a.send, w.b.send = 5_000_000, 1_000_000
	w.run(5 * time.Minute)
	w.wantWhole()
	if n := w.a.m.stats.Timeouts; n != 0 {
		t.Errorf("%d timeouts", n)
	}
}

// Ring 2: hundreds of paths, each a different kind of bad. The stream is whole, both ends close, no buffer is left.
func TestStreamsArriveWholeOnBadPaths(t *testing.T) {
	for seed := range int64(400) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := badWorld(t, seed)
			w.run(30 * time.Minute)
			w.wantWhole()
		})
	}
}

// badWorld draws a path and a pair of ends from a seed.
func badWorld(t testing.TB, seed int64) *world {
	w := newWorld(t, seed, path{delay: time.Millisecond}, nil)
	rng := w.rng
	maybe := func(n int) bool { return rng.Intn(n) == 0 }
	draw := func() path {
		l := path{delay: time.Duration(1+rng.Intn(100)) * time.Millisecond}
		if maybe(2) {
			l.rate = 50_000 << rng.Intn(9)
			l.queue = max(20_000, l.rate/(1+rng.Intn(20)))
		}
		if maybe(2) {
			l.loss = []float64{0.001, 0.01, 0.05, 0.15}[rng.Intn(4)]
		}
		if maybe(3) {
			l.reorder, l.held = 0.05, l.delay
		}
		if maybe(3) {
			l.jitter = l.delay
		}
		if maybe(4) {
			l.dup = 0.05
		}
		l.split, l.coalesce = maybe(4), maybe(2)
		if maybe(8) {
			l.mtu = 300 + rng.Intn(1200) // a black hole for what must not be cut up
		}
		if maybe(4) {
			l.mark = 0.02
		}
		return l
	}
	ends := func(c *Config) {
		c.NoSACK, c.NoTimestamps, c.NoWindowScale, c.ECN = maybe(6), maybe(5), maybe(6), maybe(3)
		if maybe(5) {
			c.MTU = 400 + rng.Intn(1100)
		}
		if maybe(4) {
			c.ReceiveBuffer, c.MaxReceiveBuffer = 4000+rng.Intn(60000), 100000
		}
		if maybe(6) {
			c.MaxReceiveBuffer = 8 << 20
		}
	}
	w = newWorld(t, seed, path{}, func(a, b *Config) { ends(a); ends(b) })
	w.rng = rng
	w.a.link, w.b.link = draw(), draw()
	sizes := []int64{0, 1, 1000, 30_000, 300_000}
	w.a.send, w.b.send = sizes[rng.Intn(5)], sizes[rng.Intn(5)]
	if maybe(3) {
		w.b.reads = 1 + rng.Intn(3000)
	}
	return w
}
