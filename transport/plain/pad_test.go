package plain

import (
	"testing"
	"testing/synctest"
	"time"

	"hawser/transport/wire"
)

// TestFirstWriteAfterAPauseIsMoreThanASegment, or else BBR stops to measure its round trip.
func TestFirstWriteAfterAPauseIsMoreThanASegment(t *testing.T) {
	for _, c := range []struct {
		name       string
		congestion string
		pause      time.Duration
		act        func(s *Subflow, now time.Time)
		padded     bool
	}{
		{"data", "bbr", time.Second, func(s *Subflow, _ time.Time) { s.Send(wire.Mapping{DSN: 1}, []byte("abc")) }, true},
		{"a probe of a busy session", "bbr", time.Second, func(s *Subflow, now time.Time) { s.Probe(now, true) }, true},
		{"a probe of an idle session", "bbr", time.Second, func(s *Subflow, now time.Time) { s.Probe(now, false) }, false},
		{"no pause", "bbr", 100 * time.Millisecond, func(s *Subflow, _ time.Time) { s.Send(wire.Mapping{DSN: 1}, []byte("abc")) }, false},
		{"another congestion control", "cubic", time.Second, func(s *Subflow, _ time.Time) { s.Send(wire.Mapping{DSN: 1}, []byte("abc")) }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			sock := newScript()
			s := machine(t, sock)
			s.establish()
			s.congestion, s.greet = c.congestion, false
			now := time.Now().Add(time.Minute)
			s.wrote = now.Add(-c.pause)
			c.act(s, now)
			s.putControl(now)
			s.pad(now)
			size := len(s.out.control) + s.out.unwritten() + len(s.out.tail)
			if c.padded && size < padTo || size > padTo+headerLen || !c.padded && size > 200 {
				t.Errorf("%s: %d bytes leave", c.name, size)
			}
			f := framer{preface: true, open: true}
			bufs, _ := s.out.batch(true)
			var all []byte
			for _, b := range bufs {
				all = append(all, b...)
			}
			records, rest, err := feed(&f, all)
			if err != nil || rest != 0 {
				t.Errorf("%s: %d bytes left, %v", c.name, rest, err)
			}
			if c.padded && (len(records) < 2 || records[len(records)-1].Type != typePad) {
				t.Errorf("%s: what matters waits behind the padding: %v", c.name, records)
			}
		})
	}
}

// TestPaddingIsRare: at most one in five seconds, however often a subflow falls silent.
func TestPaddingIsRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := machine(t, newScript())
		s.establish()
		s.congestion = "bbr"
		now, padded := time.Now().Add(time.Minute), 0
		for range 60 { // a minute of a keystroke a second
			now = now.Add(time.Second)
			s.out.control, s.carries = append(s.out.control[:0], 1), true
			if s.pad(now); len(s.out.tail) > 0 {
				padded++
			}
			s.out.tail = s.out.tail[:0]
		}
		if padded != 12 {
			t.Errorf("padded %d times in a minute", padded)
		}
	})
}
