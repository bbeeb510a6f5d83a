package tcp

import (
	"testing"
	"time"

	"hawser/transport/wire"
)

// stream is a long transfer under way on a path of 5 MB/s and 40 ms.
func stream(t *testing.T, seed int64, tune func(a, b *Config)) *world {
	w := newWorld(t, seed, path{delay: 20 * time.Millisecond, rate: 5_000_000, queue: 400_000}, tune)
	w.check = false
	w.a.send = 1 << 40
	w.until("under way", 5*time.Second, func() bool { return w.b.got > 1_000_000 })
	return w
}

// One lost packet in the middle of a flow is repaired within 1.25 round trips, and without a timeout.
func TestOneLossIsRepairedInARoundTrip(t *testing.T) {
	w := stream(t, 1, nil)
	w.a.cc.fixed = 180_000 // below what the path holds: no queue
	w.until("steady", 5*time.Second, func() bool { return w.b.got > 3_000_000 })
	var at time.Time
	gone := int64(0)
	w.a.link.eat = func(s *wire.Segment) bool {
		if !at.IsZero() || s.Len == 0 {
			return false
		}
		at, gone = w.now, w.a.m.sendOff(s.Seq)-1
		return true
	}
	timeouts := w.a.m.stats.Timeouts
	w.until("repaired", time.Second, func() bool { return gone > 0 && w.b.got > gone })
	srtt := w.a.m.Info().SRTT
	// The flow's own round trip, then half of one for the retransmission.
	if d := w.now.Sub(at); d > srtt*3/2+srtt/4 || w.a.m.stats.Timeouts != timeouts {
		t.Errorf("took %v at an SRTT of %v, %d timeouts", d, srtt, w.a.m.stats.Timeouts-timeouts)
	}
}

// A lost tail is repaired by a probe after 2 SRTT, not by the RTO; with TLP off, it takes the RTO.
func TestLostTailIsRepairedByAProbe(t *testing.T) {
	repair := func(noProbe bool) (time.Duration, time.Duration, *world) {
		w := newWorld(t, 1, path{delay: rtt10}, func(a, _ *Config) { a.NoSACK = noProbe })
		w.a.send, w.a.window = 1<<40, 0
		w.until("connected", time.Second, func() bool { return w.b.m != nil })
		var lost time.Time
		drops := 0
		w.a.link.eat = func(s *wire.Segment) bool { // the last two of five packets
			if drops == 2 || s.Len == 0 || s.Seq.Diff(w.a.m.SendSeq()) < 3*1448 {
				return false
			}
			drops++
			lost = w.now
			return true
		}
		b := make([]byte, 5*1448)
		for i := range b {
			b[i] = octet("a", int64(i))
		}
		w.a.m.Append(b, nil)
		w.until("repaired", 5*time.Second, func() bool { return w.b.got == int64(len(b)) })
		return w.now.Sub(lost), w.a.m.Info().SRTT, w
	}
	took, srtt, w := repair(false)
	// An acknowledgement after one, the probe two later, its answer after another, the rest half of one later.
	if took > 5*srtt || w.a.m.stats.Timeouts != 0 || w.a.m.stats.Probes != 1 {
		t.Errorf("took %v at an SRTT of %v: %+v", took, srtt, w.a.m.stats)
	}
	slow, _, w := repair(true)
	if w.a.m.stats.Timeouts != 1 || slow <= 2*took {
		t.Errorf("without probes it took %v, with them %v", slow, took)
	}
}

// Reordering of 3 % of the packets by up to a quarter of the round trip causes no timeout and next to no needless
// retransmission.
func TestReorderingIsTolerated(t *testing.T) {
	w := stream(t, 2, nil)
	w.a.cc.fixed = 180_000
	w.a.link.reorder, w.a.link.held = 0.03, 10*time.Millisecond
	w.until("RACK has seen it", 5*time.Second, func() bool { return w.b.got > 4_000_000 })
	before := w.a.m.stats
	w.until("more of it", 20*time.Second, func() bool { return w.b.got > 40_000_000 })
	after := w.a.m.stats
	if after.Timeouts != 0 {
		t.Errorf("%d timeouts", after.Timeouts)
	}
	if again := after.Retransmitted - before.Retransmitted; again > 360_000 { // 1 %
		t.Errorf("%d of 36 MB were sent again", again)
	}
}

// Loss that is no congestion costs the bytes lost and no more, as far as the machine is concerned: with a window that
// does not react, 1 % of loss leaves 97 % of the path.
func TestLossCostsWhatWasLost(t *testing.T) {
	w := stream(t, 3, nil)
	w.a.cc.fixed, w.a.cc.owns = 300_000, true
	w.a.link.loss = 0.01
	from, start := w.b.got, w.now
	w.until("10 s of it", 20*time.Second, func() bool { return w.now.Sub(start) > 10*time.Second })
	rate := float64(w.b.got-from) / w.now.Sub(start).Seconds()
	if rate < 0.93*5_000_000 { // 3.4 % are headers
		t.Errorf("%.2f MB/s of 5", rate/1e6)
	}
	if w.a.m.stats.Timeouts > 2 {
		t.Errorf("%d timeouts", w.a.m.stats.Timeouts)
	}
}

// RFC 2525 §2.13 ("stretch ACK violation") is what receive offload makes of every receiver: ACKs are few and large. The
// sender does not stall on them.
func TestStretchAcknowledgements(t *testing.T) {
	w := stream(t, 4, nil)
	w.b.link.coalesce = true
	acks := 0
	w.b.link.eat = func(s *wire.Segment) bool {
		acks++
		return s.Len == 0 && s.Options.NumSACK == 0 && acks%8 != 0 // only every eighth arrives
	}
	from, start := w.b.got, w.now
	w.until("5 s of it", 20*time.Second, func() bool { return w.now.Sub(start) > 5*time.Second })
	if rate := float64(w.b.got-from) / 5; rate < 0.90*5_000_000 {
		t.Errorf("%.2f MB/s of 5", rate/1e6)
	}
}

// Without SACK, what has waited behind a hole says nothing about the round trip (Karn's algorithm, RFC 6298 §3).
func TestNoRoundTripFromBehindAHole(t *testing.T) {
	s := established(t, func(c *Config) { c.NoSACK = true })
	s.append(300)
	s.emit()
	s.append(300)
	s.emit()
	for range 4 {
		s.expire()
		s.emit()
	}
	before := s.m.Info().SRTT
	s.pass(rtt10)
	s.give(ack, 1, 601, "")
	if after := s.m.Info().SRTT; after > 2*before {
		t.Errorf("SRTT went from %v to %v", before, after)
	}
}
