package cc

import (
	"testing"
	"time"
)

// validated gives a reno flow in congestion avoidance whose window of about 50 segments is in use.
func validated(t *testing.T) *driver {
	d := drive(t, "reno")
	d.toAvoidance(100, rtt40)
	d.round(rtt40)
	return d
}

// trickle lets the application use a tenth of the window for rounds round trips.
func (d *driver) trickle(rounds int) {
	d.slack = true
	for range rounds {
		d.roundOf(5, rtt40)
	}
}

// RFC 7661, section 4.3: cwnd does not grow in the non-validated phase, and does again in the validated one.
func TestWindowThatIsNotUsedDoesNotGrow(t *testing.T) {
	d := validated(t)
	d.trickle(30)
	before := d.c.Window()
	d.trickle(100)
	d.want("rate-limited", d.c.Window(), before)
	d.slack = false
	for range 3 {
		d.round(rtt40)
	}
	if d.c.Window() <= before {
		t.Error("a window that is used again does not grow")
	}
}

func TestSlowStartThatIsNotUsedDoesNotGrow(t *testing.T) {
	d := drive(t, "cubic")
	d.round(rtt40)
	d.round(rtt40)
	d.trickle(30)
	before := d.c.Window()
	d.trickle(30)
	d.want("rate-limited", d.c.Window(), before)
}

// RFC 7661, section 4.4: "preserves the cwnd" through idleness, and paces what follows.
func TestIdleKeepsTheWindow(t *testing.T) {
	d := validated(t)
	before := d.c.Window()
	d.now = d.now.Add(time.Minute)
	d.c.OnIdle(d.now, time.Minute)
	d.want("after a minute", d.c.Window(), before)
	if want := int(1.3 * float64(before) / rtt40.Seconds()); d.c.Rate() == 0 || d.c.Rate() > want {
		t.Errorf("what follows leaves at %d B/s, want at most %d", d.c.Rate(), want)
	}
	d.slack = true
	d.roundOf(5, rtt40)
	d.want("after the first flight", d.c.Window(), before)
}

// RFC 7661, section 4.4.3: after five minutes half the window goes, to no less than IW; ssthresh keeps 3/4 of it.
func TestWindowShrinksAfterTheNonValidatedPeriod(t *testing.T) {
	d := validated(t)
	before := d.c.Window()
	d.now = d.now.Add(5*time.Minute + time.Second)
	d.c.OnIdle(d.now, 5*time.Minute+time.Second)
	d.want("after one period", d.c.Window(), before/2)
	d.want("ssthresh", d.c.(*lossBased).ssthresh, max(before/4*3, 50*simMSS))
	d.now = d.now.Add(time.Hour)
	d.c.OnIdle(d.now, time.Hour)
	d.want("after an hour", d.c.Window(), initialWindow(simMSS))
}

func TestWindowShrinksUnderATrickleToo(t *testing.T) {
	d := validated(t)
	before := d.c.Window()
	for range 320 {
		d.trickle(1)
		d.now = d.now.Add(time.Second)
	}
	if d.c.Window() >= before {
		t.Errorf("window is %d after more than five minutes of hardly any use", d.c.Window())
	}
}

// RFC 7661, section 4.4.1: cwnd = max(pipeACK, LossFlightSize)/2, and at the end of recovery what was repaired is
// taken out first.
func TestLossInTheNonValidatedPhaseGoesByWhatWasInUse(t *testing.T) {
	d := validated(t)
	d.trickle(60)
	d.c.OnLoss(d.now, Loss{Bytes: 4 * simMSS, InFlight: 8 * simMSS, First: true})
	d.want("at the loss", d.c.Window(), 6*simMSS)
	d.recovered()
	d.want("after recovery", d.c.Window(), 4*simMSS)
}

// RFC 9438, section 5.8, and RFC 7661: a flow that was limited by its application is back at full rate at once.
func TestPauseCostsNothingOverALink(t *testing.T) {
	for _, name := range []string{"reno", "cubic", "bbr"} {
		l := link{rate: mbit(20), delay: rtt40, queue: 200_000}
		s := newSim(t, l)
		f := s.flow(mustNew(t, name, Config{}))
		s.run(10 * time.Second)
		f.pause()
		s.run(20 * time.Second)
		f.resume()
		s.maxQueue = 0
		if share := s.goodput(21*time.Second, f); share[0] < 0.88 {
			t.Errorf("%s: %.2f of the link in the second after a pause", name, share[0])
		}
	}
}
