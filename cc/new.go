package cc

import (
	"fmt"
	"math"
	"strings"
)

// New gives the congestion controller called name for one subflow: "bbr", "cubic", "reno", or "paced", which no
// configuration asks for. The coupled ones, which Names lists as well, have no controller here.
func New(name string, c Config) (Controller, error) {
	if c.MSS < 1 {
		return nil, fmt.Errorf("cc: an MSS of %d bytes carries nothing: it must be at least 1", c.MSS)
	}
	c.MSS = min(c.MSS, maxMSS)
	switch name {
	case "bbr":
		return newBBR(c), nil
	case "cubic":
		return newLossBased(name, c, newCubic(c.MSS)), nil
	case "reno":
		return newLossBased(name, c, &reno{mss: c.MSS}), nil
	case "paced":
		return newPaced(c)
	}
	return nil, fmt.Errorf("cc: there is no controller %q: choose one of %s", name, strings.Join(controllers, ", "))
}

// controllers holds what New knows.
var controllers = []string{"bbr", "cubic", "reno", "paced"}

const (
	// maxMSS is what a 16-bit length can say.
	maxMSS = 1<<16 - 1
	// maxWindow is the largest window that TCP can have (RFC 7323, section 2.3); it also bounds every sum of bytes.
	maxWindow = 1 << 30
	// maxRate is far beyond any path, in bytes/s, memory included, and fits an int everywhere.
	maxRate = min(1<<40, math.MaxInt)
)

// initialWindow is IW of RFC 6928, section 2.
func initialWindow(mss int) int { return min(10*mss, max(2*mss, 14600)) }

// clamp puts v between low and high; NaN becomes low.
func clamp(v float64, low, high int) int {
	switch {
	case v >= float64(high):
		return high
	case v > float64(low):
		return int(v)
	}
	return low
}

// bounded gives a with every size at least 0 and at most what sums can hold.
func bounded(a Ack) Ack {
	a.Bytes, a.InFlight = clampSize(a.Bytes), clampSize(a.InFlight)
	a.SentInFlight, a.LostSince = clampSize(a.SentInFlight), clampSize(a.LostSince)
	a.Rate = min(max(a.Rate, 0), maxRate)
	a.RTT = max(a.RTT, 0)
	a.PriorDelivered = min(a.PriorDelivered, a.Delivered)
	return a
}

// boundedLoss does the same for l.
func boundedLoss(l Loss) Loss {
	l.Bytes, l.InFlight = clampSize(l.Bytes), clampSize(l.InFlight)
	l.SentInFlight, l.LostSince = clampSize(l.SentInFlight), clampSize(l.LostSince)
	return l
}

func clampSize(n int) int { return min(max(n, 0), maxWindow) }
