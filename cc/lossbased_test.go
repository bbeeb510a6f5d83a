package cc

import (
	"testing"
	"time"
)

var lossBasedNames = []string{"reno", "cubic"}

func TestInitialWindowOfRFC6928(t *testing.T) {
	for mss, want := range map[int]int{1448: 14480, 1460: 14600, 536: 5360, 9000: 18000, 1: 10} {
		for _, name := range []string{"reno", "cubic", "bbr"} {
			if got := mustNew(t, name, Config{MSS: mss}).Window(); got != want {
				t.Errorf("%s: initial window at an MSS of %d is %d, want %d", name, mss, got, want)
			}
		}
	}
}

// RFC 5681, section 3.1: "cwnd += min (N, SMSS)" for each acknowledgement, which doubles the window each round trip.
func TestSlowStartDoublesEachRoundTrip(t *testing.T) {
	for _, name := range lossBasedNames {
		d := drive(t, name)
		for want := 20; want <= 320; want *= 2 {
			d.round(rtt40)
			d.want(name+": window", d.c.Window(), want*simMSS)
		}
	}
}

// RFC 9406, section 4.3: L = 8 for a sender that is not paced, which only one without an RTT sample is here, and
// infinite otherwise.
func TestStretchAcknowledgementInTheFirstSlowStart(t *testing.T) {
	d := drive(t, "reno")
	d.ack(20*simMSS, 0, 0)
	d.want("unpaced", d.c.Window(), 18*simMSS)
	d.ack(20*simMSS, rtt40, d.delivered)
	d.want("paced", d.c.Window(), 38*simMSS)
}

// RFC 3465, sections 2.2 and 2.3: L = 1 segment until what a time-out found outstanding is acknowledged, then 2.
func TestAppropriateByteCountingAfterATimeout(t *testing.T) {
	d := drive(t, "reno")
	for range 6 {
		d.ack(10*simMSS, 0, d.delivered)
	}
	d.c.OnTimeout(d.now, d.c.Window())
	d.want("loss window", d.c.Window(), simMSS)
	d.ack(10*simMSS, 0, d.delivered)
	d.want("after an acknowledgement in recovery", d.c.Window(), 2*simMSS)
	d.recovered()
	d.ack(10*simMSS, 0, d.delivered)
	d.want("after one beyond it", d.c.Window(), 4*simMSS)
}

// RFC 5681, section 3.2, and RFC 6582: one reduction for each episode, no growth in it.
func TestLossReducesOnceForEachEpisode(t *testing.T) {
	for name, beta := range map[string]float64{"reno": 0.5, "cubic": 0.7} {
		d := drive(t, name)
		d.round(rtt40)
		d.round(rtt40)
		before := d.c.Window()
		d.loss()
		want := int(float64(before) * beta)
		d.want(name+": after the first loss", d.c.Window(), want)
		d.c.OnLoss(d.now, Loss{Bytes: simMSS, InFlight: want})
		d.want(name+": after the second", d.c.Window(), want)
		d.round(rtt40)
		d.want(name+": in recovery", d.c.Window(), want)
		d.recovered()
		for range 30 {
			d.round(rtt40)
		}
		if d.c.Window() <= want {
			t.Errorf("%s: no growth after recovery", name)
		}
	}
}

// RFC 5681, section 3.1: never below one segment, ssthresh never below two.
func TestRepeatedLossLeavesTwoSegments(t *testing.T) {
	for _, name := range lossBasedNames {
		d := drive(t, name)
		for range 10 {
			d.loss()
			d.recovered()
		}
		d.want(name, d.c.Window(), 2*simMSS)
	}
}

// RFC 3465, section 2.1: one segment for each window acknowledged, however the acknowledgements come.
func TestRenoGrowsByOneSegmentEachRoundTrip(t *testing.T) {
	d := drive(t, "reno")
	d.toAvoidance(40, rtt40)
	for want := 21; want < 40; want++ {
		if want%2 == 0 {
			d.round(rtt40)
		} else { // one acknowledgement for all
			d.ack(d.c.Window()/simMSS*simMSS, rtt40, d.delivered)
		}
		d.want("window", d.c.Window(), want*simMSS)
	}
}

// RFC 5681, section 3.1: ssthresh is held constant while the same segment times out again.
func TestRepeatedTimeoutHoldsTheThreshold(t *testing.T) {
	d := drive(t, "reno")
	d.round(rtt40)
	d.round(rtt40)
	flight := d.c.Window()
	d.c.OnTimeout(d.now, flight)
	d.c.OnTimeout(d.now, simMSS)
	d.want("window", d.c.Window(), simMSS)
	l := d.c.(*lossBased)
	d.want("ssthresh", l.ssthresh, flight/2)
	t.Log("# after progress a time-out is a new one")
	d.ack(simMSS, rtt40, d.delivered)
	d.c.OnTimeout(d.now, simMSS)
	d.want("ssthresh", l.ssthresh, 2*simMSS)
}

// RFC 4015, section 3.2, and RFC 9438, section 4.9: what a spurious reduction took is given back.
func TestUndoRestoresWindowThresholdAndSlowStart(t *testing.T) {
	for _, name := range lossBasedNames {
		for _, timeout := range []bool{false, true} {
			d := drive(t, name)
			d.round(rtt40)
			before, threshold := d.c.Window(), d.c.(*lossBased).ssthresh
			if timeout {
				d.c.OnTimeout(d.now, before)
				d.c.OnTimeout(d.now, simMSS)
			} else {
				d.loss()
			}
			d.c.OnUndo(d.now)
			d.recovery = false
			d.want(name+": window", d.c.Window(), before)
			d.want(name+": ssthresh", d.c.(*lossBased).ssthresh, threshold)
			d.round(rtt40)
			d.want(name+": slow start goes on", d.c.Window(), 2*before)
			d.c.OnUndo(d.now)
			d.want(name+": a second undo", d.c.Window(), 2*before)
		}
	}
}

// RFC 3168, section 6.1.2: a mark reduces as a loss does.
func TestMarkReducesAsLossDoes(t *testing.T) {
	for name, beta := range map[string]float64{"reno": 0.5, "cubic": 0.7} {
		d := drive(t, name)
		d.round(rtt40)
		before := d.c.Window()
		d.c.OnLoss(d.now, Loss{InFlight: before, First: true, ECN: true})
		d.want(name, d.c.Window(), int(float64(before)*beta))
	}
	t.Log("# RFC 9438, section 4.6: down to one segment")
	d := drive(t, "cubic")
	for range 10 {
		d.c.OnLoss(d.now, Loss{InFlight: d.c.Window(), First: true, ECN: true})
		d.recovered()
	}
	d.want("cubic", d.c.Window(), simMSS)
}

func TestRateFollowsWindowAndRoundTrip(t *testing.T) {
	for _, name := range lossBasedNames {
		d := drive(t, name)
		d.want(name+": before a sample", d.c.Rate(), 0)
		d.c.OnAck(d.now, Ack{RTT: 100 * time.Millisecond})
		d.near(name+": slow start", float64(d.c.Rate()), 2*10*float64(d.c.Window()), 0.001)
		d.loss()
		d.recovered()
		d.near(name+": avoidance", float64(d.c.Rate()), 1.2*10*float64(d.c.Window()), 0.001)
	}
}

// The sawtooth over one bottleneck: a queue of one BDP keeps the link busy, and loss is rare.
func TestSawtoothFillsTheLink(t *testing.T) {
	for _, name := range lossBasedNames {
		l := link{rate: mbit(20), delay: rtt40}
		l.queue = l.bdp()
		s := newSim(t, l)
		f := s.flow(mustNew(t, name, Config{}))
		s.run(5 * time.Second)
		low, high := 1<<30, 0
		f.watch = func() { low, high = min(low, f.c.Window()), max(high, f.c.Window()) }
		if share := s.goodput(60*time.Second, f); share[0] < 0.97 {
			t.Errorf("%s: %.3f of the link is used", name, share[0])
		}
		if f.timeouts > 0 {
			t.Errorf("%s: %d time-outs", name, f.timeouts)
		}
		d := &driver{TB: t}
		beta := f.c.(*lossBased).ca.beta()
		d.near(name+": depth of the sawtooth", float64(low)/float64(high), beta, 0.06)
		if share := float64(s.dropped*simMSS) / float64(f.delivered); share > 0.01 {
			t.Errorf("%s: %.2f %% is lost", name, share*100)
		}
	}
}
