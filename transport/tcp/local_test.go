package tcp

import (
	"testing"
	"time"

	"hawser/cc"
)

// Between two hosts that share processors, the round trip is some 50 µs when both run, a millisecond when one waits for
// its turn, and super-segments overtake each other when their sender has moved to another processor. None of it is loss,
// and it must not cost the window.
func TestOvertakingOnALocalPathDoesNotCostTheWindow(t *testing.T) {
	for _, name := range []string{"cubic", "reno"} {
		t.Run(name, func(t *testing.T) {
			const rate = 300_000_000
			w := newWorld(t, 1, path{delay: 20 * time.Microsecond, rate: rate, queue: 4 << 20}, func(a, b *Config) {
				a.Control = named(t, name)
				b.ReceiveBuffer, b.MaxReceiveBuffer = 4<<20, 4<<20
			})
			w.check, w.a.window = false, 1<<20
			w.a.send = 1 << 40
			moved := w.now
			w.a.link.late = func() time.Duration {
				if w.now.Sub(moved) < 3*time.Millisecond {
					return 0
				}
				moved = w.now
				return time.Duration(100+w.rng.Intn(400)) * time.Microsecond
			}
			w.b.link.delay = 200 * time.Microsecond
			w.until("under way", time.Second, func() bool { return w.now.Sub(startTime) > 20*time.Millisecond })
			from, start := w.b.got, w.now
			w.until("60 ms of it", time.Second, func() bool { return w.now.Sub(start) > 60*time.Millisecond })
			got := float64(w.b.got-from) / w.now.Sub(start).Seconds() / rate
			if n := w.a.m.stats.Recoveries; got < 0.9 || n > 3 { // the first teaches RACK
				t.Errorf("%.2f of the rate, %d recoveries in 26 times", got, n)
			}
		})
	}
}

// What is due within a millisecond leaves at once: a path whose round trip is shorter would lie idle until a timer of user
// space. What is due later waits, and no timer is shorter than that.
func TestPacerHoldsNothingBackForLessThanItsQuantum(t *testing.T) {
	const rate, size = 1_000_000_000, 62_000 // 62 µs each
	now := instant(time.Second)
	p := pacer{next: now} // nothing to catch up
	left := 0
	for p.allows(now) {
		p.sent(now, size, rate)
		left += size
	}
	ms := rate / 1000
	if left < ms || left > ms+size {
		t.Errorf("%d bytes left at once, want about the %d of a millisecond", left, ms)
	}
	if wait := p.wakeAt - now; wait < paceQuantum {
		t.Errorf("a timer of %v", wait)
	}
	for range 100 {
		now = p.wakeAt
		for p.allows(now) {
			p.sent(now, size, rate)
			left += size
		}
	}
	if got, want := float64(left), rate*(now-time.Second).Seconds(); got < want || got > want+float64(ms+size) {
		t.Errorf("%.0f bytes left in %v, want %.0f", got, now-time.Second, want)
	}
}

// named makes controllers by name.
func named(t *testing.T, name string) func(cc.Config) cc.Controller {
	return func(c cc.Config) cc.Controller {
		control, err := cc.New(name, c)
		if err != nil {
			t.Fatal(err)
		}
		return control
	}
}
