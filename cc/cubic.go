package cc

import (
	"math"
	"time"
)

// The constants of RFC 9438, section 4.1 and 5.
const (
	cubicC    = 0.4
	cubicBeta = 0.7
	// cubicAlpha makes the Reno-friendly estimate as fast as Reno on average (section 4.3).
	cubicAlpha = 3 * (1 - cubicBeta) / (1 + cubicBeta)
)

// cubic is congestion avoidance of RFC 9438. Sizes in here are segments, as in its formulas.
type cubic struct {
	mss float64
	cubicState
	saved cubicState
}

// cubicState is what section 4.9 saves and restores.
type cubicState struct {
	wMax, k   float64
	cwndPrior float64 // window at the last reduction
	wEst      float64 // Reno-friendly window
	alpha     float64
	part      float64   // of a byte, not yet in the window
	inEpoch   bool      // congestion avoidance is under way
	flat      bool      // the next epoch starts at its own W_max, with K = 0: after a time-out, or slow start without loss
	epoch     time.Time // its start, less the time that the application was the limit
	paused    time.Time // since when it is; zero: it is not
}

func newCubic(mss int) *cubic {
	return &cubic{mss: float64(mss), cubicState: cubicState{flat: true}}
}

func (c *cubic) grow(now time.Time, srtt time.Duration, window, bytes int) int {
	cwnd := float64(window) / c.mss
	if !c.inEpoch {
		c.begin(now, cwnd)
	}
	c.resume(now)
	t := now.Sub(c.epoch)
	next := cwnd + c.increase(t, srtt, cwnd, float64(bytes)/c.mss)
	size := next*c.mss + c.part
	grown := clamp(size, window, maxWindow)
	c.part = max(0, min(size-float64(grown), 1))
	return grown
}

// increase gives the growth for acked segments at t (sections 4.2 to 4.5).
func (c *cubic) increase(t, srtt time.Duration, cwnd, acked float64) float64 {
	acked = min(acked, cwnd) // a round trip's worth at most
	c.wEst += c.alpha * acked / cwnd
	if c.wEst >= c.cwndPrior {
		c.alpha = 1 // section 4.3: from here as Reno itself
	}
	if c.curve(t) < c.wEst {
		return max(c.wEst-cwnd, 0)
	}
	target := min(max(c.curve(t+srtt), cwnd), 1.5*cwnd)
	return (target - cwnd) / cwnd * acked
}

// curve is W_cubic(t), equation 1.
func (c *cubic) curve(t time.Duration) float64 {
	d := t.Seconds() - c.k
	return cubicC*d*d*d + c.wMax
}

// begin starts an epoch (section 4.2).
func (c *cubic) begin(now time.Time, cwnd float64) {
	c.inEpoch, c.epoch, c.paused = true, now, time.Time{}
	c.wEst, c.alpha, c.part = cwnd, cubicAlpha, 0
	if c.flat || c.wMax <= cwnd {
		c.wMax, c.k = cwnd, 0 // sections 4.8 and 4.10
	} else {
		c.k = math.Cbrt((c.wMax - cwnd) / cubicC)
	}
	c.flat = false
}

// pause stops the epoch's clock: "t MUST NOT include periods" in which the application is the limit (section 5.8).
func (c *cubic) pause(now time.Time) {
	if c.inEpoch && c.paused.IsZero() {
		c.paused = now
	}
}

func (c *cubic) resume(now time.Time) {
	if !c.paused.IsZero() {
		c.epoch = c.epoch.Add(max(now.Sub(c.paused), 0))
		c.paused = time.Time{}
	}
}

// congested ends the epoch, with fast convergence (section 4.7): a flow that could not regain its last W_max makes
// room for others.
func (c *cubic) congested(window int) {
	cwnd := float64(window) / c.mss
	if cwnd < c.wMax {
		c.wMax = cwnd * (1 + cubicBeta) / 2
	} else {
		c.wMax = cwnd
	}
	c.cwndPrior, c.inEpoch, c.flat = cwnd, false, false
}

func (c *cubic) timedOut()     { c.flat = true }
func (c *cubic) beta() float64 { return cubicBeta }
func (c *cubic) save()         { c.saved = c.cubicState }
func (c *cubic) restore()      { c.cubicState = c.saved }
