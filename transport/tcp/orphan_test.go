package tcp

import (
	"testing"
	"time"

	"hawser/transport/wire"
)

// RFC 9293 §3.8.6.1 lets a peer keep its window closed for ever while it answers probes. When the application has closed,
// nobody is left to end that, and what waits would be held for good: it has the user timeout, and learns of the end.
func TestAClosedWindowDoesNotHoldAClosedConnection(t *testing.T) {
	const limit = 2 * time.Minute
	answered := func(s *script, until time.Duration) {
		s.emit()
		for end := s.now.Add(until); s.m.State() != Closed && s.now.Before(end); {
			s.expire()
			s.emit()
			if s.m.State() != Closed {
				s.give(ack, 1, int(s.m.una), "")
			}
		}
	}
	for name, end := range map[string]func(*Machine){
		"Close":                     (*Machine).Close,
		"CloseRead, then the other": func(m *Machine) { m.CloseRead(); m.CloseWrite() },
	} {
		s := established(t, func(c *Config) { c.UserTimeout = limit })
		s.win = 0
		s.give(ack, 1, 1, "")
		released := &holds{1}
		s.m.Append(make([]byte, 100_000), released)
		answered(s, time.Hour)
		s.wantState(Established)
		end(s.m)
		closed := s.now
		answered(s, time.Hour)
		s.wantState(Closed)
		if took := s.now.Sub(closed); took < limit || took > limit+2*maxRTO {
			t.Errorf("%s: it took %v", name, took)
		}
		if n := len(s.out); n == 0 || !s.out[n-1].Flags.Has(wire.RST) {
			t.Errorf("%s: the peer is not told", name)
		}
		if released.n != 0 {
			t.Errorf("%s: the memory is held", name)
		}
		s.wantErr(ErrTimeout)
	}
	t.Log("# one side closed: somebody is still there; a peer that takes something: it goes on")
	s := established(t, func(c *Config) { c.UserTimeout = limit })
	s.win = 0
	s.give(ack, 1, 1, "")
	s.append(100_000)
	s.m.CloseWrite()
	answered(s, time.Hour)
	s.wantState(Established)
	s.m.Close()
	for range 5 {
		answered(s, limit/2)
		s.win = 5000
		s.give(ack, 1, int(s.m.una), "")
		s.emit()
		s.win = 0
		s.give(ack, 1, int(s.m.nxt), "")
	}
	if s.m.State() == Closed {
		t.Error("given up while it took something")
	}
}
