package tcp

import (
	"testing"
	"time"
	"unsafe"

	"hawser/transport/wire"
)

// stepped is t, by whose wall clock is another time: what package time gives after somebody has set the clock.
func stepped(t *testing.T, at time.Time, by time.Duration) time.Time {
	t.Helper()
	got := at
	wall := (*uint64)(unsafe.Pointer(&got)) // its first field: the monotonic bit, 33 bits of seconds, 30 of nanoseconds
	*wall += uint64(int64(by/time.Second)) << 30
	if got.Sub(at) != 0 || got.UnixNano()-at.UnixNano() != int64(by) {
		t.Fatalf("the clock was not set: %v and %v", at, got)
	}
	return got
}

// RFC 7323 §5.4: timestamps are of a clock that goes up. A step of the wall clock must not show in them, or the peer drops
// what comes as old duplicates; nor in the times that are told apart by their echo.
func TestTimestampsGoOnWhenTheClockIsSet(t *testing.T) {
	for _, step := range []time.Duration{-time.Hour, time.Hour, -30 * 24 * time.Hour} {
		now := time.Now()
		s := dial(t, func(c *Config) { c.NoTimestamps = false })
		cfg := s.m.cfg
		cfg.Clock = time.Time{} // dial's is of another time
		m, err := Dial(cfg, now)
		if err != nil {
			t.Fatal(err)
		}
		var seg wire.Segment
		m.Emit(now, &seg)
		before := seg.Options.TSVal
		later := stepped(t, now.Add(2*time.Second), step)
		m.Advance(later)
		if !m.Emit(later, &seg) || seg.Options.TSVal-before != 2000 {
			t.Errorf("clock set by %v: TSval went from %d to %d in 2 s", step, before, seg.Options.TSVal)
		}
		if got := m.tsNow() - m.tsAt(m.now-500*time.Millisecond); got != 500 {
			t.Errorf("clock set by %v: half a second ago it was %d less", step, got)
		}
	}
}

// The same of a listener: SYN-ACK, cookie and the connection that comes of them agree, though the clock was set between.
func TestHandshakesOutliveASetClock(t *testing.T) {
	for _, step := range []time.Duration{-time.Hour, time.Hour} {
		d := newDesk(t, nil)
		d.now = time.Now()
		d.syn(clientAddr, 1000, fullSYN(), 0)
		first := d.reply()
		clear(d.l.half) // the cookie alone has to do
		d.l.halfUsed = 0
		d.now = stepped(t, d.now.Add(time.Second), step)
		m, err := d.complete(first, "")
		if m == nil {
			t.Fatalf("clock set by %v: %v", step, err)
		}
		if got := int32(m.tsNow() - first.Options.TSVal); got < 1000 || got > 1000+stampBits+1 {
			t.Errorf("clock set by %v: timestamps went on by %d in a second", step, got)
		}
		d.syn(clientAddr, 2000, fullSYN(), 0)
		if got := int32(d.reply().Options.TSVal - first.Options.TSVal); got < 1000-stampBits-1 || got > 1000+stampBits+1 {
			t.Errorf("clock set by %v: the next connection's are %d above", step, got)
		}
	}
}

// RFC 6191: the timestamps of a pair of addresses go on from one connection to the next, also where those that dial are
// told of one clock and where the program has begun anew.
func TestTimestampsGoOnFromOneConnectionToTheNext(t *testing.T) {
	tsval := func(clock, now time.Time) uint32 {
		s := dial(t, nil)
		cfg := s.m.cfg
		cfg.NoTimestamps, cfg.Clock = false, clock
		m, err := Dial(cfg, now)
		if err != nil {
			t.Fatal(err)
		}
		var seg wire.Segment
		m.Emit(now, &seg)
		return seg.Options.TSVal
	}
	now := time.Now()
	a := tsval(now, now)
	if b := tsval(now, stepped(t, now.Add(time.Second), -time.Hour)); b-a != 1000 {
		t.Errorf("a second later, with the clock set: %d above", int32(b-a))
	}
	if b := tsval(time.Time{}, now.Add(time.Minute)); b-a != 60_000 {
		t.Errorf("a minute later, after a new beginning: %d above", int32(b-a))
	}
}

// RFC 7323 §5.5: a connection that was idle for more than 24 days does not take what comes for old duplicates, whose clock
// may have wrapped; one that was idle for less does.
func TestTheLatestTimestampCountsFor24Days(t *testing.T) {
	for days, taken := range map[int]string{23: "", 25: "late"} {
		s := settled(t, func(c *Config) { c.NoTimestamps = false })
		s.ts = 9000
		s.give(ack, 1, 1, "new")
		s.emit()
		s.wantRead("new")
		s.pass(time.Duration(days) * 24 * time.Hour)
		s.emit()
		s.ts = 8000
		s.give(ack, 4, 1, "late")
		s.wantRead(taken)
	}
}
