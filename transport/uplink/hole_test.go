package uplink

import (
	"testing"
	"time"
)

func TestBytesBeyondAHoleAreInFlightNoMore(t *testing.T) {
	e := NewBoard().Acquire(Key{Uplink: "dsl"})
	e.Sent(epoch, 100_000)
	e.Beyond(60_000)
	if got := e.Facts(epoch).InFlight; got != 40_000 {
		t.Errorf("%d bytes in flight, want 40,000", got)
	}
	e.Beyond(-60_000) // the hole is filled
	if got := e.Facts(epoch).InFlight; got != 100_000 {
		t.Errorf("%d bytes in flight, want 100,000", got)
	}
}

// A steady round trip gets no more in flight than before, one that wanders does, within bounds.
func TestCapHasRoomForARoundTripThatWanders(t *testing.T) {
	const base = 40 * time.Millisecond
	limit := func(swing, period time.Duration) int {
		l := newLink(50e6/8, base/2)
		sum, n := 0, 0 // over many round trips: the cap goes up and down within eight
		for now := epoch; now.Before(epoch.Add(9 * time.Second)); now = l.run(now, now.Add(2*time.Millisecond)) {
			part := float64(now.Sub(epoch)%period) / float64(period) // a triangle of that swing
			l.entry.SystemRTT(now, base+time.Duration(float64(swing)*2*min(part, 1-part)))
			if now.Sub(epoch) > 5*time.Second {
				sum, n = sum+l.entry.Facts(now).Cap, n+1
			}
		}
		return sum / n
	}
	const wave = 90 * time.Millisecond
	steady, still, wandering, wild := limit(0, wave), limit(base/4, wave), limit(3*base/2, wave), limit(10*base, wave)
	if still > steady+steady/100 || still < steady-steady/100 {
		t.Errorf("a swing of a quarter of the round trip changes the cap from %d to %d", steady, still)
	}
	if wandering < steady*13/10 || wandering > steady*2 {
		t.Errorf("a swing of one and a half round trips changes the cap from %d to %d", steady, wandering)
	}
	if wild > steady*3 {
		t.Errorf("a swing of ten round trips changes the cap from %d to %d", steady, wild)
	}
}

// What is measured after a pause does not count for the pause.
func TestWanderForgetsNothingInAPause(t *testing.T) {
	var w wander
	now := epoch
	for range 3000 {
		now = now.Add(time.Millisecond)
		w.add(now, 20*time.Millisecond)
	}
	w.add(now.Add(time.Minute), 60*time.Millisecond)
	if most := 22 * time.Millisecond; w.mean > most || w.deviation > 2*time.Millisecond {
		t.Errorf("one round trip of 60 ms after a pause makes the mean %v and the deviation %v", w.mean, w.deviation)
	}
}

// A queue makes the round trip longer and shorter as well; what is in flight explains that, and gets no more room.
func TestQueueIsNoWander(t *testing.T) {
	const rate, base = 20e6 / 8, 200 * time.Millisecond
	stretch := func(sent int) time.Duration {
		l := newLink(rate, base/2)
		now := l.run(epoch, epoch.Add(4*time.Second))
		l.entry.Sent(now, sent)
		for i := range 1000 { // up and down once in 400 ms
			wait := time.Duration(min(i%400, 400-i%400)) * time.Millisecond
			l.entry.SystemRTT(now.Add(time.Duration(i)*time.Millisecond), base+wait)
		}
		return l.entry.stretch()
	}
	if got := stretch(rate / 5); got != 0 { // 200 ms of the rate
		t.Errorf("a queue of what is in flight makes room for %v more", got)
	}
	if got := stretch(0); got < 50*time.Millisecond {
		t.Errorf("a wandering path has room for %v more: the test shows nothing", got)
	}
}

// The start becomes slow when a queue may have formed and ends when one stays, whatever the application does: doubling
// what is in flight again and again would fill the queue, and a link of 200 ms would need a second to find that out by
// its rate.
func TestStartEndsWithAQueue(t *testing.T) {
	e := NewBoard().Acquire(Key{Uplink: "lte"})
	now := epoch
	ack := func(rtt time.Duration) {
		e.AppLimited()
		m := e.Sent(now, 16<<10)
		now = now.Add(rtt)
		e.Acked(now, m, 16<<10, rtt)
	}
	const quick, late = 200 * time.Millisecond, 240 * time.Millisecond
	expect := func(gain float64, what string) {
		t.Helper()
		if f := e.Facts(now); f.Settled || e.gain(now) != gain {
			t.Fatalf("%s: settled %v, gain %v, want a start with %v", what, f.Settled, e.gain(now), gain)
		}
	}
	for range 20 {
		ack(quick)
		for range lateSign - 1 {
			ack(late)
		}
		expect(startGain, "a few late ones")
		for range lateRounds - 1 { // a round trip each
			ack(late)
		}
		expect(slowGain, "as many in a row as a queue makes, but not for long")
	}
	ack(quick)
	expect(startGain, "one in time")
	for range lateSign + lateRounds - 1 {
		ack(late)
	}
	if !e.Facts(now).Settled {
		t.Error("a queue did not end the start")
	}
}

// After a pause the first round trip has no queue of ours in it: it counts as the least when that is old.
func TestLeastRoundTripAfterAPause(t *testing.T) {
	e := NewBoard().Acquire(Key{Uplink: "dsl"})
	round := func(now time.Time, rtt time.Duration) {
		m := e.Sent(now, 1000)
		e.Acked(now.Add(rtt), m, 1000, rtt)
	}
	round(epoch, 20*time.Millisecond)
	later := epoch.Add(minRTTWindow + time.Second)
	round(later, 30*time.Millisecond) // the route is another one now
	if f := e.Facts(later); f.MinRTT != 30*time.Millisecond || f.Cap != capStart {
		t.Errorf("least round trip %v", f.MinRTT)
	}
	if !e.draining.IsZero() {
		t.Error("the path is drained although nothing was on it")
	}
}
