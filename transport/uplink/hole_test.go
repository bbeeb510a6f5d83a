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

// A steady round trip gets no more in flight than before, one that wanders does.
func TestCapHasRoomForARoundTripThatWanders(t *testing.T) {
	limit := func(deviation time.Duration) int {
		l := newLink(50e6/8, 20*time.Millisecond)
		sum, n := 0, 0 // over many round trips: the cap goes up and down within eight
		for now := epoch; now.Before(epoch.Add(9 * time.Second)); now = l.run(now, now.Add(10*time.Millisecond)) {
			l.entry.SystemRTT(40*time.Millisecond, deviation)
			if now.Sub(epoch) > 5*time.Second {
				sum, n = sum+l.entry.Facts(now).Cap, n+1
			}
		}
		return sum / n
	}
	steady, still, wandering := limit(0), limit(2*time.Millisecond), limit(10*time.Millisecond)
	if still > steady+steady/100 || still < steady-steady/100 {
		t.Errorf("a deviation of 2 ms changes the cap from %d to %d", steady, still)
	}
	if wandering < steady*13/10 || wandering > steady*2 {
		t.Errorf("a deviation of 10 ms changes the cap from %d to %d", steady, wandering)
	}
}

// The start ends when a queue has formed, whatever the application does: doubling what is in flight once more would fill
// the queue, and a link of 200 ms would need a second to find that out by its rate.
func TestStartEndsWithAQueue(t *testing.T) {
	e := NewBoard().Acquire(Key{Uplink: "lte"})
	now := epoch
	ack := func(rtt time.Duration) {
		e.AppLimited()
		m := e.Sent(now, 16<<10)
		now = now.Add(rtt)
		e.Acked(now, m, 16<<10, rtt)
	}
	for range 20 {
		ack(200 * time.Millisecond)
		for range lateSign - 1 { // jitter: late ones, but not as many in a row
			ack(240 * time.Millisecond)
		}
	}
	if e.Facts(now).Settled {
		t.Fatal("jitter ended the start")
	}
	for range lateSign {
		ack(240 * time.Millisecond)
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
