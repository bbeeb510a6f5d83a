package cc

import (
	"testing"
	"time"
)

// bbrFlow runs one BBR flow over l.
func bbrFlow(t *testing.T, l link) (*sim, *flow, *bbr) {
	s := newSim(t, l)
	f := s.flow(mustNew(t, "bbr", Config{Seed: 1}))
	return s, f, f.c.(*bbr)
}

// until runs until ok, at most for d.
func (f *flow) until(d time.Duration, ok func() bool) bool {
	met := false
	f.watch = func() { met = met || ok() }
	for end := f.now + d; !met && f.now < end; {
		f.run(f.now + time.Millisecond)
	}
	f.watch = nil
	return met
}

// Section 5.3.1.2 of draft-ietf-ccwg-bbr: the plateau ends Startup, and the estimates are the link's.
func TestBBRFindsRateAndRoundTrip(t *testing.T) {
	for _, l := range []link{
		{rate: mbit(1), delay: 20 * time.Millisecond},
		{rate: mbit(50), delay: 10 * time.Millisecond},
		{rate: mbit(50), delay: 40 * time.Millisecond},
		{rate: mbit(100), delay: 100 * time.Millisecond},
		{rate: mbit(10), delay: 300 * time.Millisecond},
	} {
		s, f, b := bbrFlow(t, l)
		s.run(8 * time.Second)
		d := &driver{TB: t}
		// The link passes a segment in mss/rate, which is part of every round trip.
		rtt := l.delay.Seconds() + simMSS/float64(l.rate)
		d.near("rate", float64(b.maxBw()), float64(l.rate), 0.02)
		d.near("round trip", b.minRTT.Seconds(), rtt, 0.02)
		if share := s.goodput(20*time.Second, f); share[0] < 0.94 {
			t.Errorf("%+v: %.3f of the link is used", l, share[0])
		}
	}
}

func TestBBRStartupEndsOnThePlateau(t *testing.T) {
	l := link{rate: mbit(50), delay: rtt40}
	_, f, b := bbrFlow(t, l)
	if !f.until(2*time.Second, func() bool { return b.state == drain }) {
		t.Fatal("still in Startup after two seconds")
	}
	if b.pipe.count != 3 || b.pacingGain != drainPacingGain {
		t.Errorf("left Startup after %d flat rounds, with a pacing gain of %v", b.pipe.count, b.pacingGain)
	}
	if !f.until(time.Second, func() bool { return b.state == probeDown || b.state == probeCruise }) {
		t.Fatal("Drain did not end")
	}
	if b.count() > b.drainStart+4 {
		t.Errorf("Drain took %d rounds", b.count()-b.drainStart)
	}
}

func (b *bbr) count() int { return b.round.count }

// Section 5.3.1.3: loss of more than 2 % of a round in six places ends Startup, and bounds what is in flight.
func TestBBRStartupEndsOnLoss(t *testing.T) {
	l := link{rate: mbit(50), delay: rtt40}
	l.queue = l.bdp() / 10
	_, f, b := bbrFlow(t, l)
	if !f.until(2*time.Second, func() bool { return b.state != startup }) {
		t.Fatal("still in Startup after two seconds")
	}
	if b.pipe.count == 3 || b.inflightLong == unlimited {
		t.Errorf("it was not the loss: %d flat rounds, bound %d", b.pipe.count, b.inflightLong)
	}
}

// Section 5.3.1: an application that is slower than the path shows no plateau of it.
func TestBBRStartupGoesOnWhileTheApplicationLimits(t *testing.T) {
	_, f, b := bbrFlow(t, link{rate: mbit(50), delay: rtt40})
	f.limit = 10 * time.Millisecond
	if f.until(5*time.Second, func() bool { return b.state != startup }) {
		t.Error("left Startup by samples that the application limited")
	}
	f.limit = 0
	if !f.until(3*time.Second, func() bool { return b.state != startup }) {
		t.Error("did not leave Startup when the application had enough to send")
	}
}

// Section 3.1: the queue in Startup is at most about one BDP (cwnd_gain 2), and less afterwards.
func TestBBRKeepsTheQueueBelowOneBDP(t *testing.T) {
	l := link{rate: mbit(50), delay: rtt40}
	s, f, _ := bbrFlow(t, l)
	s.run(2 * time.Second)
	if limit := l.delay * 5 / 4; s.maxQueue > limit {
		t.Errorf("queue of %v in Startup, want at most %v", s.maxQueue, limit)
	}
	s.goodput(20*time.Second, f)
	if s.maxQueue > l.delay {
		t.Errorf("queue of %v after Startup, want at most one BDP, %v", s.maxQueue, l.delay)
	}
	var total time.Duration
	samples := 0
	f.watch = func() { total, samples = total+max(s.freeAt-s.now, 0), samples+1 }
	s.run(40 * time.Second)
	if mean := total / time.Duration(samples); mean > l.delay/4 {
		t.Errorf("mean queue of %v, want at most a quarter of the round trip", mean)
	}
}

// What loss-based control cannot: random loss below the threshold costs hardly any rate.
func TestBBRBearsRandomLoss(t *testing.T) {
	share := func(name string) float64 {
		s := newSim(t, link{rate: mbit(50), delay: rtt40, queue: 375_000, loss: 0.01})
		f := s.flow(mustNew(t, name, Config{Seed: 1}))
		s.run(2 * time.Second)
		return s.goodput(30*time.Second, f)[0]
	}
	if got := share("bbr"); got < 0.93 {
		t.Errorf("bbr uses %.3f of the link at 1 %% loss", got)
	}
	if got := share("cubic"); got > 0.3 {
		t.Errorf("cubic uses %.3f: the link does not lose what it should", got)
	}
}

// Loss beyond the threshold bounds what is in flight (section 5.5.10.2): a shallow queue is not kept overflowing.
func TestBBRRespectsAShallowQueue(t *testing.T) {
	l := link{rate: mbit(50), delay: rtt40}
	l.queue = l.bdp() / 5
	s, f, b := bbrFlow(t, l)
	s.run(2 * time.Second)
	dropped, sent := s.dropped, f.next
	share := s.goodput(30*time.Second, f)
	loss := float64(s.dropped-dropped) / float64(f.next-sent)
	if share[0] < 0.9 || loss > 0.02 {
		t.Errorf("%.3f of the link at %.2f %% loss", share[0], loss*100)
	}
	if b.inflightLong == unlimited {
		t.Error("no bound was learnt")
	}
}

// Section 5.3.4: every 5 s the flight falls to half a BDP for 200 ms and a round trip.
func TestBBRProbesTheRoundTrip(t *testing.T) {
	l := link{rate: mbit(50), delay: rtt40}
	s, f, b := bbrFlow(t, l)
	if !f.until(12*time.Second, func() bool { return b.state == probeRTT }) {
		t.Fatal("no ProbeRTT in 12 s")
	}
	if !f.until(time.Second, func() bool { return !b.probing.doneStamp.IsZero() }) {
		t.Fatal("the flight did not shrink")
	}
	if limit := l.bdp()*55/100 + simMSS; f.inFlight > limit {
		t.Errorf("%d bytes in flight, want at most half a BDP, %d", f.inFlight, limit)
	}
	began := s.now
	if !f.until(time.Second, func() bool { return b.state != probeRTT }) {
		t.Fatal("ProbeRTT did not end")
	}
	if took := s.now - began; took < probeRTTDuration || took > probeRTTDuration+2*l.delay {
		t.Errorf("ProbeRTT took %v", took)
	}
	if b.state != probeCruise {
		t.Errorf("then state %d, want cruising", b.state)
	}
	ended := s.now
	f.until(12*time.Second, func() bool { return b.state == probeRTT })
	if next := s.now - ended; next < probeRTTInterval-100*time.Millisecond || next > probeRTTInterval+time.Second {
		t.Errorf("the next came after %v", next)
	}
}

// Section 5.4.1: idleness drains the queue, so no ProbeRTT follows it, and the rate is what it was.
func TestBBRRestartsFromIdleAtItsRate(t *testing.T) {
	s, f, b := bbrFlow(t, link{rate: mbit(50), delay: rtt40})
	s.run(4 * time.Second)
	bw := b.maxBw()
	f.pause()
	s.run(12 * time.Second)
	f.resume()
	if b.Rate() > bw || b.Rate() < bw*9/10 {
		t.Errorf("restarts at %d B/s, the path has %d", b.Rate(), bw)
	}
	if f.until(300*time.Millisecond, func() bool { return b.state == probeRTT }) {
		t.Error("ProbeRTT after idleness")
	}
}

func TestBBRFollowsTheLink(t *testing.T) {
	for _, to := range []float64{10, 200} {
		s, f, _ := bbrFlow(t, link{rate: mbit(50), delay: rtt40, queue: 1_000_000})
		s.run(6 * time.Second)
		s.link.rate = mbit(to)
		s.run(18 * time.Second)
		if share := s.goodput(30*time.Second, f); share[0] < 0.9 {
			t.Errorf("%.3f of the link after its rate became %v Mbit/s", share[0], to)
		}
		if limit := 60 * time.Millisecond; s.maxQueue > limit {
			t.Errorf("queue of %v at %v Mbit/s", s.maxQueue, to)
		}
	}
}

// Section 5.5.9: acknowledgements that come in bursts do not starve the flow.
func TestBBRBearsAggregatedAcknowledgements(t *testing.T) {
	s, f, b := bbrFlow(t, link{rate: mbit(50), delay: 10 * time.Millisecond, batch: 30 * time.Millisecond})
	s.run(3 * time.Second)
	if share := s.goodput(20*time.Second, f); share[0] < 0.95 {
		t.Errorf("%.3f of the link with acknowledgements every 30 ms", share[0])
	}
	if b.extraAcked < 4*simMSS {
		t.Errorf("%d bytes of aggregation seen", b.extraAcked)
	}
}

func TestBBRAnswersMarks(t *testing.T) {
	l := link{rate: mbit(50), delay: rtt40}
	l.mark = l.bdp() / 4
	s, f, b := bbrFlow(t, l)
	s.run(2 * time.Second)
	if share := s.goodput(20*time.Second, f); share[0] < 0.9 {
		t.Errorf("%.3f of the link", share[0])
	}
	if b.inflightLong == unlimited || s.maxQueue > l.delay*3/4 {
		t.Errorf("bound %d, queue %v: marks do not hold the flow back", b.inflightLong, s.maxQueue)
	}
}

// Two flows share a bottleneck roughly evenly, whichever came first.
func TestBBRSharesWithBBR(t *testing.T) {
	s := newSim(t, link{rate: mbit(50), delay: rtt40, queue: 375_000})
	a := s.flow(mustNew(t, "bbr", Config{Seed: 1}))
	s.run(4 * time.Second)
	b := s.flow(mustNew(t, "bbr", Config{Seed: 2}))
	s.run(20 * time.Second)
	share := s.goodput(80*time.Second, a, b)
	if share[0]+share[1] < 0.94 || share[0] > 2*share[1] || share[1] > 2*share[0] {
		t.Errorf("shares %.3f", share)
	}
}

func TestBBRAndCubicLiveTogether(t *testing.T) {
	s := newSim(t, link{rate: mbit(50), delay: rtt40, queue: 375_000})
	a := s.flow(mustNew(t, "bbr", Config{Seed: 1}))
	b := s.flow(mustNew(t, "cubic", Config{}))
	s.run(20 * time.Second)
	share := s.goodput(80*time.Second, a, b)
	if share[0] < 0.12 || share[1] < 0.12 {
		t.Errorf("bbr and cubic share %.3f", share)
	}
}

// Section 5.5.11: a spurious episode gives back the window, the bounds and the probe that it ended.
func TestBBRUndo(t *testing.T) {
	s, f, b := bbrFlow(t, link{rate: mbit(50), delay: rtt40})
	s.run(3 * time.Second)
	if !f.until(10*time.Second, func() bool { return b.state == probeUp }) {
		t.Fatal("no probe")
	}
	window := b.Window()
	lost := b.sample.SentInFlight / 4
	b.OnLoss(s.clock(), Loss{Bytes: lost, InFlight: f.inFlight - lost, SentInFlight: f.inFlight, LostSince: lost, First: true})
	if b.state == probeUp || b.inflightLong == unlimited {
		t.Fatal("the loss of a quarter changed nothing")
	}
	b.OnUndo(s.clock())
	if b.state != probeRefill || b.inflightLong != unlimited || b.Window() < window {
		t.Errorf("state %d, bound %d, window %d (was %d)", b.state, b.inflightLong, b.Window(), window)
	}
}

// Section 5.6.4.4: a time-out leaves one segment, and recovery restores the window.
func TestBBRTimeout(t *testing.T) {
	s, f, b := bbrFlow(t, link{rate: mbit(50), delay: rtt40})
	s.run(3 * time.Second)
	window := b.Window()
	b.OnTimeout(s.clock(), f.inFlight)
	if b.Window() != simMSS {
		t.Errorf("window after a time-out is %d", b.Window())
	}
	b.OnRecovered(s.clock())
	if b.Window() != window {
		t.Errorf("window after recovery is %d, was %d", b.Window(), window)
	}
}

func TestMaxFilterForgets(t *testing.T) {
	var f maxFilter
	f.put(5)
	f.advance(1)
	f.put(3)
	if f.max(1) != 3 || f.max(2) != 5 || f.max(100) != 5 {
		t.Errorf("maxima %d %d %d", f.max(1), f.max(2), f.max(100))
	}
	f.advance(9)
	if f.max(filterSlots) != 3 {
		t.Errorf("after ten slots the oldest is still there: %d", f.max(filterSlots))
	}
	f.advance(1000)
	if f.max(filterSlots) != 0 {
		t.Error("something is left")
	}
}
