package demo

import (
	"sync"
	"time"
)

// arrivals judges a transfer by when its bytes arrive at the receiver.
type arrivals struct {
	warm time.Duration // from the first byte until the rate is measured

	mu       sync.Mutex
	first    time.Time // arrival of the first bytes
	from     time.Time // begin of the measurement; zero: not yet
	last     time.Time
	bytes    int64 // all
	measured int64 // since from
	gap      time.Duration
}

// add notes that n bytes have arrived.
func (a *arrivals) add(now time.Time, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first.IsZero() {
		a.first = now
	} else {
		a.gap = max(a.gap, now.Sub(a.last))
	}
	if !a.from.IsZero() {
		a.measured += int64(n)
	} else if now.Sub(a.first) >= a.warm {
		a.from = now
	}
	a.last = now
	a.bytes += int64(n)
}

// mark forgets the gaps so far: the next one counts from the last arrival on.
func (a *arrivals) mark() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gap = 0
}

// total is how many bytes have arrived, and the largest gap between arrivals since mark.
func (a *arrivals) total() (bytes int64, gap time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes, a.gap
}

// rate is the goodput after warm-up in bit/s; 0: the transfer was too short to tell.
func (a *arrivals) rate() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if span := a.last.Sub(a.from); !a.from.IsZero() && span > 0 {
		return int64(float64(a.measured) * 8 / span.Seconds())
	}
	return 0
}
