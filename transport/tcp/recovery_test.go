package tcp

import (
	"testing"
	"time"

	"hawser/transport/wire"
)

const rtt10 = 10 * time.Millisecond

// flight makes a connection with n segments of 1000 bytes in flight, one millisecond apart.
func flight(t *testing.T, n int, tune func(*Config)) *script {
	t.Helper()
	s := established(t, tune)
	for range n {
		s.append(s.m.mtu.mss)
		s.emit()
		s.pass(time.Millisecond)
	}
	if got := s.m.Info().InFlight; got != n*s.m.mtu.mss {
		t.Fatalf("%d bytes in flight", got)
	}
	return s
}

// RFC 8985 §6.2: with three segments SACKed and no reordering seen, the reordering window is 0, and the first is lost.
func TestFastRecovery(t *testing.T) {
	s := established(t, nil)
	s.append(5000)
	s.emit()
	s.pass(rtt10)
	s.give(ack, 1, 1, "", s.sack(1001, 2001))
	s.give(ack, 1, 1, "", s.sack(1001, 3001))
	s.want("nothing yet")
	s.give(ack, 1, 1, "", s.sack(1001, 4001))
	s.want("the fast retransmission", "ACK 1 ack 1 len 1000")
	if s.cc.firsts != 1 || s.cc.lastLoss.Bytes != 1000 {
		t.Errorf("the controller knows of %d episodes, %+v", s.cc.firsts, s.cc.lastLoss)
	}
	s.pass(rtt10)
	s.give(ack, 1, 5001, "")
	if s.cc.recovered != 1 || s.cc.firsts != 1 {
		t.Errorf("recovered %d times, %d episodes", s.cc.recovered, s.cc.firsts)
	}
}

// RFC 8985 §9.1, example 2: a lost retransmission is found by what was sent after it.
func TestLostRetransmissionIsFound(t *testing.T) {
	s := flight(t, 5, nil)
	s.pass(5 * time.Millisecond)
	s.give(ack, 1, 1, "", s.sack(2001, 5001))
	s.want("both of the hole", "ACK 1 ack 1 len 1000", "ACK 1001 ack 1 len 1000")
	s.append(1000)
	s.pass(rtt10 + 5*time.Millisecond)
	s.give(ack, 1, 1, "", s.sack(1001, 5001))
	got := s.emit()
	if len(got) == 0 || got[0] != "ACK 1 ack 1 len 1000" {
		t.Errorf("the lost retransmission did not leave again: %v", got)
	}
}

// RFC 8985 §6.2, step 5: a segment in the reordering window gets min_RTT/4, and the reordering timer.
func TestReorderingTimer(t *testing.T) {
	s := flight(t, 2, nil)
	s.pass(8 * time.Millisecond)
	s.give(ack, 1, 1, "", s.sack(1001, 2001))
	s.want("nothing: it may be reordered")
	if wait := s.expire(); wait <= 0 || wait > 3*time.Millisecond {
		t.Errorf("the timer waits for %v", wait)
	}
	s.want("the retransmission", "ACK 1 ack 1 len 1000")
}

// RFC 8985 §6.2, step 4: each round trip with a D-SACK widens the reordering window by min_RTT/4, and 16 recoveries
// without one reset it.
func TestReorderingWindowAdapts(t *testing.T) {
	s := flight(t, 4, nil)
	m := s.m
	m.rack.seen = true
	s.give(ack, 1, 2001, "", s.sack(1, 1001))
	least := m.rtt.min.value
	if got := m.reoWindow(); got != least/2 {
		t.Errorf("window is %v after one D-SACK, want %v", got, least/2)
	}
	s.give(ack, 1, 2001, "", s.sack(1, 1001))
	if m.rack.mult != 1 {
		t.Error("a second D-SACK in the same round trip counts")
	}
	for range 16 {
		m.rack.recovered()
	}
	if m.rack.mult != 0 {
		t.Errorf("not reset: %d", m.rack.mult)
	}
}

// RFC 8985 §7.2, §7.3: a probe after 2 SRTT (and the ACK delay for a lone segment), then the RTO; new data first.
func TestTailLossProbe(t *testing.T) {
	s := flight(t, 3, nil)
	srtt := s.m.Info().SRTT
	wait := s.expire()
	if want := 2*srtt - time.Millisecond; wait != want {
		t.Errorf("the probe left after %v, want %v", wait, want)
	}
	s.want("the last segment again", "ACK 2001 ack 1 len 1000")
	s.append(500)
	s.give(ack, 1, 3001, "", s.sack(2001, 3001)) // both copies have arrived
	s.append(500)
	s.emit()
	s.give(ack, 1, 4001, "")
	if s.cc.firsts != 0 {
		t.Error("a needless probe was taken for a loss")
	}
}

// RFC 8985 §7.4.2: a probe that has repaired the only loss hides it, and "the sender SHOULD invoke a congestion control
// response equivalent to a fast recovery".
func TestProbeThatRepairsALossCounts(t *testing.T) {
	s := flight(t, 3, nil)
	s.expire()
	s.want("the probe", "ACK 2001 ack 1 len 1000")
	s.pass(rtt10)
	s.give(ack, 1, 3001, "")
	s.append(1000)
	s.emit()
	s.pass(rtt10)
	s.give(ack, 1, 4001, "")
	if s.cc.firsts != 1 {
		t.Errorf("%d episodes", s.cc.firsts)
	}
}

// RFC 8985 §7.3: "the sender MUST check … there is no other previous loss probe still in flight", and re-arm the RTO.
func TestOneProbeAtATime(t *testing.T) {
	s := flight(t, 3, nil)
	s.expire()
	s.want("the probe", "ACK 2001 ack 1 len 1000")
	if wait := s.expire(); wait != 200*time.Millisecond {
		t.Errorf("the RTO expired after %v", wait)
	}
	s.want("the first, by timeout", "ACK 1 ack 1 len 1000")
	if s.cc.timeouts != 1 {
		t.Errorf("%d timeouts", s.cc.timeouts)
	}
}

// RFC 6298 §5.4 to 5.6: the earliest segment is sent again, and the RTO doubles each time.
func TestTimeoutBacksOff(t *testing.T) {
	s := established(t, func(c *Config) { c.NoSACK = true })
	s.append(100)
	s.want("a segment", "ACK 1 ack 1 len 100")
	for i, want := range []time.Duration{200, 400, 800, 1600} {
		if wait := s.expire(); wait != want*time.Millisecond {
			t.Errorf("timeout %d after %v, want %vms", i, wait, int(want))
		}
		s.want("the segment again", "ACK 1 ack 1 len 100")
	}
	s.pass(rtt10)
	s.give(ack, 1, 101, "")
	if s.m.rto.backoff != 0 {
		t.Error("the back-off stays after an acknowledgement")
	}
}

// RFC 6298 §2.2 and 2.3, with the RFC's own arithmetic.
func TestRTOEstimator(t *testing.T) {
	m := &Machine{cfg: Config{MinRTO: time.Millisecond}}
	m.rto.init()
	m.sample(100 * time.Millisecond)
	if m.rtt.smoothed != 100*time.Millisecond || m.rtt.variance != 50*time.Millisecond || m.rto.base != 300*time.Millisecond {
		t.Errorf("first sample: %v %v %v", m.rtt.smoothed, m.rtt.variance, m.rto.base)
	}
	m.sample(200 * time.Millisecond)
	// RTTVAR = 3/4·50 + 1/4·100 = 62.5, SRTT = 7/8·100 + 1/8·200 = 112.5, RTO = 112.5 + 250
	if m.rtt.smoothed != 112500*time.Microsecond || m.rtt.variance != 62500*time.Microsecond || m.rto.base != 362500*time.Microsecond {
		t.Errorf("second sample: %v %v %v", m.rtt.smoothed, m.rtt.variance, m.rto.base)
	}
}

// RFC 5682 §3.1, step 3b: what left before the timeout and was not sent again is acknowledged: it was spurious.
func TestFRTODetectsASpuriousTimeout(t *testing.T) {
	s := flight(t, 4, nil)
	s.m.tlp.sampleNo, s.m.tlp.end = 1, 4001 // as if the probe had been used up
	s.expire()
	s.emit()
	s.expire()
	s.emit()
	if s.cc.timeouts == 0 {
		t.Fatal("no timeout")
	}
	s.append(3000)
	t.Log("# the originals arrive after all, one by one")
	s.give(ack, 1, 1001, "")
	s.want("two new segments instead of retransmissions", "ACK 4001 ack 1 len 2000")
	s.give(ack, 1, 2001, "")
	if s.cc.undos != 1 || s.m.stats.Undone != 1 {
		t.Errorf("undone %d times", s.cc.undos)
	}
	if s.m.board.lost != 0 {
		t.Errorf("%d bytes are still deemed lost", s.m.board.lost)
	}
}

// RFC 5682 §3.1, step 3a: an acknowledgement that shows nothing from before the timeout makes it a real one.
func TestFRTOBelievesARealTimeout(t *testing.T) {
	s := flight(t, 4, nil)
	s.m.tlp.sampleNo, s.m.tlp.end = 1, 4001
	s.expire()
	s.emit()
	s.expire()
	s.emit()
	s.append(3000)
	s.pass(rtt10)
	s.give(ack, 1, 1001, "")
	s.want("two new segments", "ACK 4001 ack 1 len 2000")
	s.pass(rtt10)
	s.give(ack, 1, 1001, "", s.sack(4001, 6001))
	got := s.emit()
	if s.cc.undos != 0 || len(got) == 0 || got[0] != "ACK 1001 ack 1 len 1000" {
		t.Errorf("undone %d times, sent %v", s.cc.undos, got)
	}
}

// RFC 3522 §3.2: an acknowledgement that echoes an earlier timestamp than that of the retransmission is one of the
// original, and RFC 4015: the response is taken back.
func TestEifelUndoesReordering(t *testing.T) {
	s := flight(t, 5, func(c *Config) { c.NoTimestamps = false })
	n := s.m.mtu.mss
	stamp := s.m.tsNow()
	opt := func(o wire.TCPOptions) wire.TCPOptions {
		o.HasTimestamps, o.TSVal, o.TSEcr = true, s.ts, stamp
		return o
	}
	s.pass(5 * time.Millisecond)
	s.give(ack, 1, 1, "", opt(s.sack(n+1, 4*n+1)))
	if got := s.emit(); len(got) != 1 || s.cc.firsts != 1 {
		t.Fatalf("no fast retransmission: %v", got)
	}
	s.pass(time.Millisecond)
	s.give(ack, 1, 5*n+1, "", opt(wire.TCPOptions{}))
	if s.cc.undos != 1 {
		t.Errorf("undone %d times", s.cc.undos)
	}
	t.Log("# the same with an echo of the retransmission is a loss")
	s = flight(t, 5, func(c *Config) { c.NoTimestamps = false })
	s.pass(5 * time.Millisecond)
	s.give(ack, 1, 1, "", opt(s.sack(n+1, 4*n+1)))
	s.emit()
	s.pass(rtt10)
	stamp = s.m.tsNow()
	s.give(ack, 1, 5*n+1, "", opt(wire.TCPOptions{}))
	if s.cc.undos != 0 {
		t.Error("a real loss was undone")
	}
}

// RFC 2883 and RFC 3708: when every retransmission comes back as a duplicate, nothing was lost.
func TestDSACKUndoesReordering(t *testing.T) {
	s := flight(t, 5, nil)
	s.pass(5 * time.Millisecond)
	s.give(ack, 1, 1, "", s.sack(1001, 4001))
	s.want("the fast retransmission", "ACK 1 ack 1 len 1000")
	s.give(ack, 1, 5001, "")
	s.pass(rtt10)
	s.append(1000)
	s.emit()
	s.give(ack, 1, 5001, "", s.sack(1, 1001))
	if s.cc.undos != 1 {
		t.Errorf("undone %d times", s.cc.undos)
	}
}

// RFC 6937 §3.1: a single loss of 20 segments with a halved window is sent as the ACKs allow, no burst and no silence:
// about one segment for two ACKs.
func TestProportionalRateReduction(t *testing.T) {
	s := established(t, nil)
	s.cc.cwnd, s.cc.ssthresh = 20_000, 20_000
	s.append(100_000)
	s.emit()
	s.pass(rtt10)
	sent := 0
	for i := 1; i < 20; i++ {
		s.give(ack, 1, 1, "", s.sack(1001, 1001+i*1000))
		before := s.m.stats.SentBytes
		s.emit()
		n := int(s.m.stats.SentBytes - before)
		if i > 4 && n > 2000 {
			t.Errorf("ACK %d lets %d bytes leave at once", i, n)
		}
		sent += n
	}
	if pipe, cwnd := s.m.Info().InFlight, s.cc.cwnd; cwnd > 11_000 || pipe < cwnd-1000 || pipe > cwnd {
		t.Errorf("%d bytes in flight at the end, want about the new window", pipe)
	}
	if sent < 10_000 || sent > 12_000 {
		t.Errorf("%d bytes were sent in the round trip", sent)
	}
}

// RFC 3042 §2: the first two repeated acknowledgements let a new segment leave each, with and without SACK; the third
// retransmits.
func TestLimitedTransmit(t *testing.T) {
	for _, noSACK := range []bool{false, true} {
		s := established(t, func(c *Config) { c.NoSACK = noSACK })
		s.cc.fixed = 4000
		s.append(20_000)
		s.emit()
		s.pass(rtt10)
		for i, want := range []string{"ACK 4001 ack 1 len 1000", "ACK 5001 ack 1 len 1000", "ACK 1 ack 1 len 1000"} {
			var o wire.TCPOptions
			if !noSACK {
				o = s.sack(1001, 2001+i*1000)
			}
			s.give(ack, 1, 1, "", o)
			got := s.emit()
			if len(got) == 0 || got[0] != want {
				t.Errorf("without SACK %v, repeated ACK %d: %v, want %s first", noSACK, i+1, got, want)
			}
		}
	}
}

// RFC 2018 §8: data that was SACKed stays queued, and after a timeout with the hole filled right before it, the SACKs
// are taken back.
func TestReneging(t *testing.T) {
	s := flight(t, 3, nil)
	s.give(ack, 1, 1, "", s.sack(1001, 3001))
	for s.cc.timeouts == 0 {
		s.expire()
		s.emit()
	}
	s.give(ack, 1, 1001, "") // and no more: the receiver has dropped what it had
	for range 5 {
		if s.m.board.sacked == 0 {
			break
		}
		s.expire()
		s.emit()
	}
	if s.m.board.sacked != 0 {
		t.Errorf("%d bytes still count as received", s.m.board.sacked)
	}
}

// RFC 9293 §3.8.3: R2 ends a connection on which nothing is acknowledged.
func TestUserTimeout(t *testing.T) {
	s := flight(t, 1, func(c *Config) { c.UserTimeout = 20 * time.Second })
	for s.m.State() != Closed {
		s.expire()
		s.emit()
	}
	if d := s.now.Sub(startTime); d < 20*time.Second || d > 60*time.Second {
		t.Errorf("given up after %v", d)
	}
	s.wantErr(ErrTimeout)
}
