package cc

import (
	"math"
	"testing"
	"time"
)

// cubicAt100 gives a cubic flow that has met congestion at a window of 100 segments.
func cubicAt100(t *testing.T, rtt time.Duration) *driver {
	d := drive(t, "cubic")
	d.toAvoidance(100, rtt)
	d.near("window after loss at 100 segments", d.segments(), 70, 0.001)
	return d
}

// RFC 9438, section 4.2: W_cubic(t) = C*(t-K)^3 + W_max with K = cbrt((100-70)/0.4) = 4.217 s. The values were
// computed apart from this code.
func TestWindowFollowsTheCubicCurve(t *testing.T) {
	const rtt = 100 * time.Millisecond
	d := cubicAt100(t, rtt)
	start := d.now
	for _, want := range []struct{ t, w float64 }{{0.5, 79.457}, {1, 86.682}, {2, 95.640}, {3, 99.279}, {4.2, 100}, {5, 100.192}} {
		for d.now.Sub(start).Seconds() < want.t-0.001 {
			d.round(rtt)
		}
		// The window aims one round trip ahead (section 4.2) and closes on it, so it runs along the curve.
		d.near("window in the epoch", d.segments(), want.w, 0.02)
	}
}

func TestCubicCurveItself(t *testing.T) {
	c := newCubic(simMSS)
	c.congested(100 * simMSS)
	c.begin(time.Time{}, 70)
	for _, want := range []struct{ t, w float64 }{{0, 70}, {0.5, 79.457}, {1, 86.682}, {2, 95.640}, {4.217163, 100}, {7, 108.621}} {
		if got := c.curve(time.Duration(want.t * float64(time.Second))); math.Abs(got-want.w) > 0.01 {
			t.Errorf("W(%v) = %.3f, want %.3f", want.t, got, want.w)
		}
	}
}

// RFC 9438, section 4.3: where Reno is faster the window is W_est, which grows by 3*(1-0.7)/(1+0.7) = 0.529 segments a
// round trip until it reaches cwnd_prior, and by 1 from there.
func TestRenoFriendlyRegion(t *testing.T) {
	const rtt = 5 * time.Millisecond
	d := drive(t, "cubic")
	d.toAvoidance(20, rtt)
	d.near("after the loss", d.segments(), 14, 0.001)
	for range 10 {
		d.round(rtt)
	}
	d.near("after 10 round trips", d.segments(), 14+10*0.529, 0.03)
	for d.segments() < 20.5 {
		d.round(rtt)
	}
	before := d.segments()
	for range 10 {
		d.round(rtt)
	}
	d.near("growth beyond cwnd_prior", d.segments()-before, 10, 0.06)
}

// RFC 9438, section 4.7: a flow that meets congestion below its last W_max sets W_max = cwnd*(1+0.7)/2.
func TestFastConvergence(t *testing.T) {
	c := newCubic(simMSS)
	c.congested(100 * simMSS)
	c.congested(80 * simMSS)
	if math.Abs(c.wMax-68) > 0.001 || c.cwndPrior != 80 {
		t.Errorf("W_max %v and cwnd_prior %v, want 68 and 80", c.wMax, c.cwndPrior)
	}
	c.congested(90 * simMSS)
	if c.wMax != 90 {
		t.Errorf("W_max %v above the last, want 90", c.wMax)
	}
}

// RFC 9438, section 4.2: the target is at most half as much again, so that a round trip adds at most a half.
func TestTargetIsBounded(t *testing.T) {
	c := newCubic(simMSS)
	c.begin(time.Time{}, 10)
	if got := c.increase(time.Hour, rtt40, 10, 10); got > 5.0001 {
		t.Errorf("a window of 10 grows by %v", got)
	}
}

// RFC 9438, section 4.8: after a time-out, congestion avoidance begins with K = 0 and W_max = cwnd.
func TestEpochAfterATimeoutStartsFlat(t *testing.T) {
	d := cubicAt100(t, rtt40)
	d.c.OnTimeout(d.now, d.c.Window())
	d.want("loss window", d.c.Window(), simMSS)
	d.recovered()
	l := d.c.(*lossBased)
	d.near("ssthresh in segments", float64(l.ssthresh)/simMSS, 49, 0.01)
	for l.window < l.ssthresh {
		d.round(rtt40)
	}
	d.round(rtt40)
	c := l.ca.(*cubic)
	if c.k != 0 {
		t.Errorf("K = %v", c.k)
	}
	d.near("W_max", c.wMax, 49, 0.02)
}

// RFC 9438, section 5.8: the time in which the application was the limit is not part of t.
func TestTimeOfRateLimitedPeriodsDoesNotCount(t *testing.T) {
	const rtt = 100 * time.Millisecond
	d := cubicAt100(t, rtt)
	for range 10 {
		d.round(rtt)
	}
	before := d.segments()
	d.now = d.now.Add(30 * time.Second)
	d.c.OnIdle(d.now, 30*time.Second)
	d.round(rtt)
	d.round(rtt)
	d.round(rtt)
	if got := d.segments(); got > before+6 {
		t.Errorf("window went from %.1f to %.1f over a pause", before, got)
	}
}

// RFC 9438, section 4.9: epoch, K and W_max are restored with the window.
func TestUndoRestoresTheEpoch(t *testing.T) {
	d := cubicAt100(t, rtt40)
	for range 20 {
		d.round(rtt40)
	}
	c := d.c.(*lossBased).ca.(*cubic)
	before, window := c.cubicState, d.c.Window()
	d.loss()
	if c.cubicState == before {
		t.Fatal("the loss changed nothing")
	}
	d.c.OnUndo(d.now)
	if c.cubicState != before {
		t.Errorf("state %+v, want %+v", c.cubicState, before)
	}
	d.want("window", d.c.Window(), window)
}
