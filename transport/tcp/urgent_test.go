package tcp

import (
	"testing"
	"time"

	"hawser/transport/wire"
)

// Segment.Control marks what has to get through when the usual way to send does not: handshake, RST, keep-alive and the
// answer to an expired retransmission timer; not data, fast retransmissions and acknowledgements.
func TestControlSegmentsAreMarked(t *testing.T) {
	s := established(t, nil)
	mark := func(want bool, why string) {
		t.Helper()
		if got := s.emit(); len(got) == 0 {
			t.Fatalf("%s: nothing left", why)
		}
		for i := range s.out {
			if s.out[i].Control != want {
				t.Errorf("%s: %v is marked: %v", why, &s.out[i], s.out[i].Control)
			}
		}
	}
	s.append(4000)
	mark(false, "data")
	s.pass(rtt10)
	s.give(ack, 1, 1, "", s.sack(1001, 4001))
	mark(false, "a fast retransmission")
	s.give(ack, 1, 4001, "")
	s.append(1000)
	mark(false, "data")
	for s.m.stats.Timeouts == 0 {
		s.expire()
		if s.m.stats.Timeouts == 0 {
			mark(false, "a probe of the tail")
		}
	}
	mark(true, "a retransmission after a timeout")
	s.give(ack, 1, 5001, "")
	s.give(ack, 1, 5001, "x")
	mark(false, "an acknowledgement")
	s.m.Abort(nil)
	mark(true, "a RST")

	k := established(t, func(c *Config) { c.KeepAlive = time.Minute })
	k.pass(2 * time.Minute)
	if k.emit(); len(k.out) != 1 || !k.out[0].Control {
		t.Errorf("a keep-alive: %v", k.out)
	}
	d := dial(t, nil)
	if d.emit(); len(d.out) != 1 || !d.out[0].Control || !d.out[0].Flags.Has(wire.SYN) {
		t.Errorf("a SYN: %v", d.out)
	}
}
