package tcp

import (
	"testing"
	"time"

	"hawser/transport/wire"
)

const (
	ack = wire.ACK
	fin = wire.FIN | wire.ACK
)

// RFC 9293 §3.5, figure 6: the basic three-way handshake, and §3.6, figure 12: the normal close.
func TestNormalOpenAndClose(t *testing.T) {
	s := established(t, nil)
	s.wantState(Established)
	s.m.CloseWrite()
	s.want("our FIN", "FIN|ACK 1 ack 1")
	s.wantState(FinWait1)
	s.give(ack, 1, 2, "")
	s.wantState(FinWait2)
	t.Log("# half-closed: the peer may still send")
	s.give(ack, 1, 2, "late")
	s.wantRead("late")
	s.give(fin, 5, 2, "")
	s.want("the acknowledgement of its FIN", "ACK 2 ack 6")
	s.wantState(TimeWait)
	t.Log("# its FIN comes again: acknowledge it, and restart the 2 MSL timeout")
	s.pass(time.Second)
	s.give(fin, 5, 2, "")
	s.want("once more", "ACK 2 ack 6")
	s.pass(1900 * time.Millisecond)
	s.wantState(TimeWait)
	s.pass(100 * time.Millisecond)
	s.wantState(Closed)
	s.wantErr(nil)
}

// "TIME-WAIT STATE: Respond with 'ok' and delete the TCB" (RFC 9293 §3.10.5): both streams have ended, and the peer knows.
func TestAbortInTimeWaitIsAnEndInOrder(t *testing.T) {
	s := established(t, nil)
	s.m.CloseWrite()
	s.want("our FIN", "FIN|ACK 1 ack 1")
	s.give(fin, 1, 2, "")
	s.want("the acknowledgement of its FIN", "ACK 2 ack 2")
	s.wantState(TimeWait)
	s.m.Abort(nil)
	s.wantState(Closed)
	s.want("nothing more", "")
	s.wantErr(nil)
}

// TIME-WAIT outlasts the loss of the last acknowledgement also on a path whose round trip is longer than the MSL.
func TestTimeWaitOutlastsALostAcknowledgement(t *testing.T) {
	w := newWorld(t, 1, path{delay: 400 * time.Millisecond}, func(a, b *Config) {
		a.MSL, b.MSL = 100*time.Millisecond, 100*time.Millisecond
	})
	w.a.send = 100_000
	lost := false
	w.b.link.eat = func(s *wire.Segment) bool { // what answers the FIN of a; b has closed long before
		if lost || w.b.m == nil || w.b.m.State() != TimeWait || s.Len > 0 {
			return false
		}
		lost = true
		return true
	}
	w.run(time.Minute)
	if !lost || !w.a.closed || !w.b.closed || w.a.err != nil || w.b.err != nil {
		t.Errorf("lost: %v; a: %v, %v; b: %v, %v; %+v", lost, w.a.closed, w.a.err, w.b.closed, w.b.err, w.a.m.stats)
	}
}

// RFC 9293 §3.6, figure 12 from the other side: CLOSE-WAIT and LAST-ACK.
func TestPassiveClose(t *testing.T) {
	s := established(t, nil)
	s.give(fin, 1, 1, "")
	s.want("the acknowledgement of the FIN", "ACK 1 ack 2")
	s.wantState(CloseWait)
	s.append(10)
	s.m.CloseWrite()
	s.want("data and FIN together", "FIN|ACK 1 ack 2 len 10")
	s.wantState(LastAck)
	s.give(ack, 2, 12, "")
	s.wantState(Closed)
	s.wantErr(nil)
}

// RFC 9293 §3.6, figure 13: simultaneous close.
func TestSimultaneousClose(t *testing.T) {
	s := established(t, nil)
	s.m.CloseWrite()
	s.want("our FIN", "FIN|ACK 1 ack 1")
	s.give(fin, 1, 1, "")
	s.wantState(Closing)
	s.want("the acknowledgement of its FIN", "ACK 2 ack 2")
	s.give(ack, 2, 2, "")
	s.wantState(TimeWait)
}

// A RST in LAST-ACK or CLOSING ends the connection in order only when no more than our FIN is outstanding: else bytes may
// be lost, and nobody would tell.
func TestResetAfterBothFINs(t *testing.T) {
	for _, c := range []struct {
		name  string
		n     int // bytes before our FIN
		acked int
		first bool // we close first: CLOSING
		state State
		want  error
	}{
		{"LAST-ACK, all acknowledged but the FIN", 10, 10, false, LastAck, nil},
		{"LAST-ACK, the last byte is not", 10, 9, false, LastAck, ErrReset},
		{"LAST-ACK, nothing was sent", 0, 0, false, LastAck, nil},
		{"CLOSING, all acknowledged but the FIN", 10, 10, true, Closing, nil},
		{"CLOSING, the last byte is not", 10, 9, true, Closing, ErrReset},
	} {
		s := established(t, nil)
		if c.first {
			s.append(c.n)
			s.m.CloseWrite()
			s.emit()
		}
		s.give(fin, 1, 1, "")
		if !c.first {
			s.append(c.n)
			s.m.CloseWrite()
			s.emit()
		}
		s.give(ack, 2, 1+c.acked, "")
		s.wantState(c.state)
		s.give(wire.RST, 2, 0, "")
		s.wantState(Closed)
		t.Log("#", c.name)
		s.wantErr(c.want)
	}
	t.Log("# TIME-WAIT")
	s := established(t, nil)
	s.append(10)
	s.m.CloseWrite()
	s.emit()
	s.give(fin, 1, 12, "")
	s.wantState(TimeWait)
	s.give(wire.RST, 2, 0, "")
	s.wantErr(nil)
}

// RFC 9293 §3.5, figure 7: simultaneous open ("MUST support", MUST-10).
func TestSimultaneousOpen(t *testing.T) {
	s := dial(t, nil)
	s.want("our SYN", "SYN 0")
	s.give(wire.SYN, 0, 0, "", wire.TCPOptions{MSS: 1000, SACKPermitted: true})
	s.wantState(SynReceived)
	s.want("a SYN-ACK", "SYN|ACK 0 ack 1")
	s.give(wire.SYN|wire.ACK, 0, 1, "", wire.TCPOptions{MSS: 1000})
	s.wantState(Established)
	s.append(5)
	s.want("data with the acknowledgement", "ACK 1 ack 1 len 5")
}

// "If there are other controls or text in the segment, then queue them for processing after the ESTABLISHED state has been
// reached" (RFC 9293 §3.10.7.3): a FIN with the SYN of a simultaneous open does not end what is not open yet. It is not
// kept: the peer repeats it. Marks that come with it find a congestion control, and a timer runs.
func TestFinWithSynOfSimultaneousOpen(t *testing.T) {
	s := dial(t, nil)
	s.want("the SYN", "SYN 0")
	s.give(wire.SYN|wire.FIN|wire.ECE|wire.CWR, 0, 0, "", wire.TCPOptions{MSS: 1000})
	s.wantState(SynReceived)
	s.want("the other half", "SYN|ACK|ECE 0 ack 1")
	if s.expire() < initialRTO {
		t.Error("nothing is waited for")
	}
	s.want("it is repeated", "SYN|ACK|ECE 0 ack 1")
	s.give(wire.ACK|wire.ECE, 1, 1, "")
	s.wantState(Established)
	s.give(wire.ACK|wire.FIN, 1, 1, "")
	s.wantState(CloseWait)
}

// RFC 9293 §3.10.7.3: what SYN-SENT makes of each segment.
func TestSynSent(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags wire.Flags
		ack   int
		out   []string
		state State
	}{
		{"If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset", wire.SYN | wire.ACK, 2, []string{"RST 2"}, SynSent},
		{"… unless the RST bit is set", wire.RST | wire.ACK, 2, nil, SynSent},
		{"If the ACK was acceptable, signal to the user 'error: connection reset'", wire.RST | wire.ACK, 1, nil, Closed},
		{"Otherwise (no ACK), drop the segment", wire.RST, 0, nil, SynSent},
		{"neither SYN nor RST", wire.ACK, 1, nil, SynSent},
	} {
		s := dial(t, nil)
		s.want("our SYN", "SYN 0")
		s.give(c.flags, 0, c.ack, "")
		s.want(c.name, c.out...)
		s.wantState(c.state)
	}
}

// RFC 9293 §3.8.3 (MUST-23: R2 for a SYN at least 3 minutes) and RFC 6298 §5.5: the SYN is repeated with back-off.
func TestSynIsRepeated(t *testing.T) {
	s := dial(t, nil)
	s.want("the SYN", "SYN 0")
	var total time.Duration
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60} {
		d := s.expire()
		total += d
		if d != want*time.Second {
			t.Errorf("repeated after %v, want %vs", d, int(want))
		}
		s.want("the SYN again", "SYN 0")
	}
	for s.m.State() != Closed {
		total += s.expire()
		s.emit()
	}
	s.wantErr(ErrTimeout)
	if total < 3*time.Minute {
		t.Errorf("given up after %v", total)
	}
}

// RFC 6298 §5.7: "If the timer expires awaiting the ACK of a SYN segment and the TCP implementation is using an RTO
// less than 3 seconds, the RTO MUST be re-initialized to 3 seconds when data transmission begins".
func TestRTOAfterALostSyn(t *testing.T) {
	s := dial(t, nil)
	s.want("the SYN", "SYN 0")
	s.expire()
	s.want("the SYN again", "SYN 0")
	s.answer(func(*wire.TCPOptions) {})
	s.emit()
	if rto := s.m.Info().RTO; rto != 3*time.Second {
		t.Errorf("RTO is %v", rto)
	}
}

// RFC 9293 §3.10.7.4, the table of the first check.
func TestAcceptability(t *testing.T) {
	s := established(t, func(c *Config) { c.ReceiveBuffer, c.MaxReceiveBuffer, c.NoWindowScale = 1000, 1000, true })
	m := s.m
	if m.buf.edge != 1001 || m.in.nxt != 1 {
		t.Fatalf("window is [%d,%d)", m.in.nxt, m.buf.edge)
	}
	m.ts.lastAck = 1
	for _, c := range []struct {
		off  int64
		n    int
		want bool
	}{
		{1, 0, true}, {0, 0, false}, {1000, 0, true}, {1001, 0, false},
		{1, 1, true}, {0, 1, false}, {0, 2, true}, {1000, 5, true}, {1001, 1, false}, {-5, 5, false}, {-5, 2000, true},
	} {
		if got := m.acceptable(c.off, c.n); got != c.want {
			t.Errorf("%d bytes at %d: %v, want %v", c.n, c.off, got, c.want)
		}
	}
	m.buf.edge = 1
	for _, c := range []struct {
		off  int64
		n    int
		want bool
	}{{1, 0, true}, {0, 0, false}, {2, 0, false}, {0, 1, false}, {2, 1, false}} {
		if got := m.acceptable(c.off, c.n); got != c.want {
			t.Errorf("window 0, %d bytes at %d: %v, want %v", c.n, c.off, got, c.want)
		}
	}
}

// RFC 5961 §3.2: RST exactly at RCV.NXT resets; elsewhere in the window it MUST cause a challenge ACK; outside it is
// dropped.
func TestResetMustMatchExactly(t *testing.T) {
	s := established(t, nil)
	s.give(wire.RST, 5, 1, "")
	s.wantState(Established)
	s.want("a challenge ACK", "ACK 1 ack 1")
	s.give(wire.RST, 5_000_000, 1, "")
	s.give(wire.RST, -5, 1, "")
	s.want("nothing for a RST outside the window")
	s.give(wire.RST, 1, 1, "")
	s.wantState(Closed)
	s.wantErr(ErrReset)
	s.want("nothing")
}

// RFC 5961 §4.2: "If the SYN bit is set, irrespective of the sequence number, TCP MUST send an ACK".
func TestSynInSynchronizedStateIsChallenged(t *testing.T) {
	s := established(t, nil)
	for _, seq := range []int{0, 1, 500, 90_000_000} {
		s.give(wire.SYN, seq, 0, "")
		s.wantState(Established)
		s.want("a challenge ACK", "ACK 1 ack 1")
	}
}

// RFC 5961 §5.2: "The ACK value is considered acceptable only if it is in the range of ((SND.UNA - MAX.SND.WND) <=
// SEG.ACK <= SND.NXT). All incoming segments whose ACK value doesn't satisfy the above condition MUST be discarded and
// an ACK sent back."
func TestBlindDataInjection(t *testing.T) {
	s := established(t, nil)
	s.give(ack, 1, 2, "evil")
	s.want("an ACK for what was never sent", "ACK 1 ack 1")
	s.give(ack, 1, -70000, "evil")
	s.want("an ACK from long ago", "ACK 1 ack 1")
	s.wantRead("")
	s.give(ack, 1, -60000, "good")
	s.wantRead("good")
}

// RFC 5961 §7: "an implementation MUST include an ACK throttling mechanism to be conservative".
func TestChallengesAreLimited(t *testing.T) {
	s := established(t, nil)
	sent := 0
	for range 100 {
		s.give(wire.SYN, 1, 0, "")
		sent += len(s.emit())
	}
	if sent != challengeLimit {
		t.Errorf("%d challenge ACKs", sent)
	}
	s.pass(challengePeriod)
	s.give(wire.SYN, 1, 0, "")
	s.want("one more in the next period", "ACK 1 ack 1")
}

// RFC 9293 §3.6.1 (MUST-17): data after a full CLOSE resets, "to indicate that data was lost".
func TestDataForNobodyResets(t *testing.T) {
	s := established(t, nil)
	s.m.Close()
	s.want("FIN", "FIN|ACK 1 ack 1")
	s.give(ack, 1, 2, "x")
	s.want("RST", "RST|ACK 2 ack 1")
	s.wantErr(ErrAborted)
}

// RFC 9293 §3.10.5: ABORT "should … send a reset segment: <SEQ=SND.NXT><CTL=RST>".
func TestAbort(t *testing.T) {
	s := established(t, nil)
	s.append(100)
	s.want("data", "ACK 1 ack 1 len 100")
	s.m.Abort(nil)
	s.want("RST", "RST|ACK 101 ack 1")
	s.wantErr(ErrAborted)
	if err := s.m.Append([]byte("x"), nil); err != ErrClosed {
		t.Errorf("Append returned %v", err)
	}
}

// RFC 9293 §3.10.7.4 and RFC 6191 §2: a SYN with a later timestamp takes the place of a connection in TIME-WAIT.
func TestTimeWaitGivesWay(t *testing.T) {
	s := established(t, func(c *Config) { c.NoTimestamps = false })
	s.ts = 0
	opt := func(v uint32) wire.TCPOptions {
		return wire.TCPOptions{HasTimestamps: true, TSVal: v, TSEcr: s.m.tsNow()}
	}
	s.m.CloseWrite()
	s.emit()
	s.give(fin, 1, 2, "", opt(8000))
	s.emit()
	s.wantState(TimeWait)
	if err := s.give(wire.SYN, 40, 0, "", opt(7500)); err == ErrReuse {
		t.Error("an old SYN was let in")
	}
	s.wantState(TimeWait)
	if err := s.give(wire.SYN, -900, 0, "", opt(9000)); err != ErrReuse {
		t.Errorf("got %v, want ErrReuse", err)
	}
	s.wantState(Closed)
}

// RFC 9293 §3.10.5: on ABORT, "send a reset segment". What others have made us answer before takes nothing of that.
func TestAbortIsHeardAfterForgedSegments(t *testing.T) {
	s := settled(t, nil)
	for i := range 2 * challengeLimit {
		s.give(wire.SYN, 5+i, 0, "")
		s.emit()
	}
	s.m.Abort(nil)
	s.want("the RST", "RST|ACK 1 ack 1")

	s = settled(t, nil)
	for i := range 2 * challengeLimit {
		s.give(ack, -5000-i, 1, "")
		s.emit()
	}
	s.give(ack, 1, 1, "unread")
	s.emit()
	s.m.Close()
	s.want("the RST of unread data", "RST|ACK 1 ack 7")
}
