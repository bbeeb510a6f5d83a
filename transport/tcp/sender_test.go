package tcp

import (
	"strings"
	"testing"
	"time"

	"hawser/transport/wire"
)

// RFC 9293 §3.7.4 (MUST-17): "there MUST be a way for an application to disable the Nagle algorithm on an individual
// connection"; here it always is: each small write leaves at once, though others are not acknowledged yet.
func TestSmallWritesLeaveAtOnce(t *testing.T) {
	s := established(t, nil)
	s.append(3)
	s.want("the first", "ACK 1 ack 1 len 3")
	s.append(5)
	s.want("the second", "ACK 4 ack 1 len 5")
	s.append(1002)
	s.want("what is more than a full segment, with its rest", "ACK 9 ack 1 len 1002")
}

// RFC 5681 §4.2 and RFC 2525 §2.13: a receiver may acknowledge more than two segments at once ("stretch ACK"), as every
// system does that merges what arrives. Each byte counts (RFC 3465 §2), nothing is taken for lost, and the timer is that of
// what is left.
func TestStretchAcknowledgementsCountWhole(t *testing.T) {
	for _, every := range []int{1, 2, 8, 40} {
		s := established(t, nil)
		s.cc.cwnd = 40_000
		s.append(400_000)
		for round := range 3 {
			s.emit()
			from, to := int(s.m.una), int(s.m.nxt)
			if to-from < 40_000 {
				t.Fatalf("one for %d, round %d: %d bytes left", every, round, to-from)
			}
			s.pass(rtt10)
			acked := 0
			for at := from; at < to; acked += s.cc.lastAck.Bytes {
				at = min(at+1000*every, to)
				s.give(ack, 1, at, "")
			}
			if acked != to-from {
				t.Errorf("one for %d, round %d: %d of %d bytes count", every, round, acked, to-from)
			}
		}
		if st := s.m.stats; st.Retransmissions+st.Timeouts+st.Probes+st.Recoveries+st.Lost != 0 {
			t.Errorf("one for %d: %+v", every, st)
		}
	}
	t.Log("# one that shows a loss and more behind it than there are duplicate acknowledgements for")
	s := established(t, nil)
	s.cc.cwnd = 40_000
	s.append(40_000)
	s.emit()
	s.pass(rtt10)
	s.give(ack, 1, 10_001, "", s.sack(11_001, 40_001))
	s.want("the hole, at once", "ACK 10001 ack 1 len 1000")
	s.pass(rtt10)
	s.give(ack, 1, 40_001, "")
	if s.m.stats.Timeouts+s.m.stats.Probes != 0 || s.cc.firsts != 1 || s.cc.recovered != 1 {
		t.Errorf("%+v", s.m.stats)
	}
}

// RFC 6675 §4, NextSeg: (1) the smallest sequence number that is deemed lost goes first, (2) then what was never sent, as
// far as pipe leaves room in the window; what the receiver has is not sent again, nor is a retransmission that may be under
// way.
func TestLossRecoveryOrder(t *testing.T) {
	s := established(t, nil)
	s.cc.fixed, s.cc.owns = 10_000, true // what may leave is the window less pipe, without PRR
	s.append(30_000)
	s.emit()
	s.pass(rtt10)
	t.Log("# the 1st, 3rd and 4th of ten are lost")
	s.give(ack, 1, 1, "", s.sack(1001, 2001, 4001, 10_001))
	got := strings.Join(s.emit(), "; ")
	want := "ACK 1 ack 1 len 1000; ACK 2001 ack 1 len 2000; ACK 10001 ack 1 len "
	if !strings.HasPrefix(got, want) {
		t.Errorf("sent %s, want %s…", got, want)
	}
	if pipe := s.m.Info().InFlight; pipe != 10_000 {
		t.Errorf("pipe is %d", pipe)
	}
	if st := s.m.stats; st.Retransmitted != 3000 || st.Retransmissions != 3 {
		t.Errorf("%d bytes in %d segments were sent again, 3000 in 3 were lost", st.Retransmitted, st.Retransmissions)
	}
	t.Log("# more of the same changes nothing: once in an episode")
	s.give(ack, 1, 1, "", s.sack(10_001, 11_001, 1001, 2001, 4001, 10_001))
	s.emit()
	if s.m.stats.Retransmitted != 3000 || s.cc.firsts != 1 {
		t.Errorf("%d bytes were sent again, %d episodes", s.m.stats.Retransmitted, s.cc.firsts)
	}
}

// RFC 6675 §5: "(4.1) RecoveryPoint = HighData"; "(A) An incoming cumulative ACK for a sequence number
// greater than RecoveryPoint signals the end of loss recovery"; partial ones go on with it, and further losses of that
// window are of the same episode: one reduction.
func TestOneEpisodeForAWindow(t *testing.T) {
	s := established(t, nil)
	s.append(10_000)
	s.emit()
	s.pass(rtt10)
	s.give(ack, 1, 1, "", s.sack(1001, 4001))
	s.emit()
	s.pass(time.Millisecond)
	s.give(ack, 1, 1, "", s.sack(5001, 10_001, 1001, 4001))
	s.emit()
	if s.cc.firsts != 1 || s.m.rec.point != 10_001 || s.m.stats.Retransmitted != 2000 {
		t.Errorf("%d episodes to %d, %d bytes sent again", s.cc.firsts, s.m.rec.point, s.m.stats.Retransmitted)
	}
	s.pass(rtt10)
	s.give(ack, 1, 4001, "", s.sack(5001, 10_001))
	if s.cc.recovered != 0 {
		t.Error("a partial acknowledgement has ended it")
	}
	s.give(ack, 1, 10_001, "")
	if s.cc.recovered != 1 || s.cc.firsts != 1 {
		t.Errorf("recovered %d times, %d episodes", s.cc.recovered, s.cc.firsts)
	}
}

// RFC 6675 §5.1 with RFC 8985 §6.3: after a timeout the first segment goes again, what the receiver has said to have still
// counts, and it is not sent again.
func TestTimeoutKeepsTheScoreboard(t *testing.T) {
	s := flight(t, 4, nil)
	s.give(ack, 1, 1, "", s.sack(3001, 4001))
	for s.cc.timeouts == 0 {
		s.m.rack.at = 0 // as if nothing could be told from the order
		s.expire()
		if s.cc.timeouts == 0 {
			s.emit()
		}
	}
	if s.m.board.sacked != 1000 {
		t.Errorf("%d bytes count as received", s.m.board.sacked)
	}
	s.want("the first", "ACK 1 ack 1 len 1000")
	s.cc.cwnd = 10_000
	s.pass(rtt10)
	s.give(ack, 1, 1001, "", s.sack(3001, 4001))
	for range 5 {
		s.emit()
		for i := range s.out {
			if off := s.out[i].Seq.Diff(s.m.iss); off >= 3001 && off < 4001 {
				t.Errorf("sent again: %v", &s.out[i])
			}
		}
		s.pass(rtt10)
	}
}

// RFC 3708 §2: an episode was needless when all its retransmissions are reported as duplicates, and none of another's:
// those of the fast recovery in which the timeout has come, which take their time, say nothing about the timeout.
func TestDuplicatesOfAnEarlierEpisodeDoNotUndo(t *testing.T) {
	s := flight(t, 6, nil)
	s.pass(5 * time.Millisecond)
	s.give(ack, 1, 1, "", s.sack(3001, 6001))
	if got := s.emit(); len(got) != 3 || s.cc.firsts != 1 {
		t.Fatalf("%v, %d episodes", got, s.cc.firsts)
	}
	for s.cc.timeouts == 0 {
		s.expire()
	}
	s.want("the first again, by timeout", "ACK 1 ack 1 len 1000")
	t.Log("# both copies of the second arrive, none of the first")
	s.give(ack, 1, 1, "", s.sack(1001, 2001, 1001, 2001, 3001, 6001))
	if s.cc.undos != 0 {
		t.Error("the timeout was undone, although what it has sent again was needed")
	}
	t.Log("# an episode after a complete recovery")
	s = flight(t, 4, nil)
	s.pass(5 * time.Millisecond)
	s.give(ack, 1, 1, "", s.sack(1001, 4001))
	s.want("the first episode", "ACK 1 ack 1 len 1000")
	s.give(ack, 1, 4001, "")
	s.append(4000)
	s.emit()
	s.pass(rtt10)
	s.give(ack, 1, 4001, "", s.sack(5001, 8001))
	s.emit()
	s.give(ack, 1, 4001, "", s.sack(1, 1001, 5001, 8001))
	if s.cc.firsts != 2 || s.cc.undos != 0 {
		t.Errorf("%d episodes, %d of them undone: the second by a duplicate of the first", s.cc.firsts, s.cc.undos)
	}
	s.give(ack, 1, 8001, "", s.sack(4001, 5001))
	if s.cc.undos != 1 {
		t.Error("nor by its own")
	}
}

// A duplicate that the network has made, of something that was never sent again, is no sign that a retransmission was
// needless (RFC 3708 §2 counts those of retransmitted segments alone).
func TestDuplicatesOfTheNetworkDoNotUndo(t *testing.T) {
	s := flight(t, 5, nil)
	s.pass(5 * time.Millisecond)
	s.give(ack, 1, 1, "", s.sack(1001, 4001))
	s.want("the fast retransmission", "ACK 1 ack 1 len 1000")
	s.give(ack, 1, 1, "", s.sack(2001, 3001, 1001, 4001))
	if s.m.stats.DSACKs != 1 || s.cc.undos != 0 {
		t.Errorf("%d duplicates, undone %d times", s.m.stats.DSACKs, s.cc.undos)
	}
}

// RFC 3708 §2: a duplicate of a copy that was sent before the episode, which is still outstanding, does not stand for the
// copy that the episode has sent. All of them together do.
func TestCopiesFromBeforeAnEpisodeCountInIt(t *testing.T) {
	s := flight(t, 6, nil)
	s.pass(5 * time.Millisecond)
	s.give(ack, 1, 1, "", s.sack(1001, 6001))
	s.want("the fast retransmission", "ACK 1 ack 1 len 1000")
	for s.cc.timeouts == 0 {
		s.expire()
	}
	s.want("the first again, by timeout", "ACK 1 ack 1 len 1000")
	t.Log("# the original and the first copy have arrived")
	s.give(ack, 1, 6001, "", s.sack(1, 1001))
	if s.cc.undos != 0 {
		t.Error("the timeout was undone by a duplicate of what had left before it")
	}
	s.give(ack, 1, 6001, "", s.sack(1, 1001))
	if s.cc.undos != 1 {
		t.Error("nor was it by both")
	}
}

// RFC 9937 §6.2: while less is in flight than the new window, an acknowledgement that moves SND.UNA and shows no new loss
// lets one segment more leave than it has delivered (SafeACK); one that does not move it, as much as it has delivered.
func TestSafeAcknowledgementsLetOneSegmentMoreLeave(t *testing.T) {
	s := established(t, nil)
	s.cc.cwnd = 20_000
	s.append(20_000)
	s.emit()
	s.pass(rtt10)
	s.give(ack, 1, 1, "", s.sack(17_001, 20_001))
	if got := s.emit(); len(got) == 0 || s.m.board.inFlight() != 3000 || s.cc.firsts != 1 {
		t.Fatalf("%v, %d in flight", got, s.m.board.inFlight())
	}
	gone := func(cum int, o wire.TCPOptions) int {
		s.pass(rtt10)
		s.give(ack, 1, cum, "", o)
		before := s.m.stats.SentBytes
		s.emit()
		return int(s.m.stats.SentBytes - before)
	}
	if n := gone(1001, s.sack(17_001, 20_001)); n != 2000 {
		t.Errorf("an acknowledgement of 1000 that moves SND.UNA lets %d leave, want 2000", n)
	}
	if n := gone(1001, s.sack(2001, 3001, 17_001, 20_001)); n != 1000 {
		t.Errorf("one that does not move it lets %d leave, want 1000", n)
	}
}

// Without SACK, what was sent once and is acknowledged together with a retransmission came long before: it says nothing
// about the round trip that RACK judges by (RFC 8985 §6.2, step 2).
func TestRACKDoesNotLearnFromWhatAHoleHeldBack(t *testing.T) {
	for _, noSACK := range []bool{true, false} {
		s := flight(t, 5, func(c *Config) { c.NoSACK = noSACK })
		s.pass(5 * time.Millisecond)
		for i := range 3 {
			var o wire.TCPOptions
			if !noSACK {
				o = s.sack(1001, 2001+i*1000)
			}
			s.give(ack, 1, 1, "", o)
		}
		if got := s.emit(); len(got) == 0 || got[0] != "ACK 1 ack 1 len 1000" {
			t.Fatalf("no fast retransmission: %v", got)
		}
		before := s.m.rack.sentAt
		s.pass(time.Millisecond) // too soon for the copy: the original was late
		s.give(ack, 1, 5001, "")
		if learnt := s.m.rack.sentAt != before; learnt == noSACK {
			t.Errorf("without SACK %v: RACK has learnt %v, round trip %v", noSACK, learnt, s.m.rack.rtt)
		}
	}
}
