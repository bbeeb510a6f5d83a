package tcp

import (
	"strings"
	"testing"
	"time"

	"hawser/transport/wire"
)

// settled is established with the quick acknowledgements of the start used up.
func settled(t *testing.T, tune func(*Config)) *script {
	t.Helper()
	s := established(t, tune)
	s.m.ack.quick = 0
	return s
}

// RFC 9293 §3.8.6.3 (MUST-58, MUST-59): an acknowledgement for every second full segment, and for less after a delay
// below 0.5 s.
func TestDelayedAcknowledgement(t *testing.T) {
	s := settled(t, nil)
	full := strings.Repeat("x", 1000)
	s.give(ack, 1, 1, full)
	s.want("nothing yet")
	if wait := s.expire(); wait != 40*time.Millisecond {
		t.Errorf("delayed by %v", wait)
	}
	s.want("the delayed one", "ACK 1 ack 1001")
	s.give(ack, 1001, 1, full)
	s.give(ack, 2001, 1, full)
	s.want("one for two", "ACK 1 ack 3001")
	s.give(ack, 3001, 1, strings.Repeat("x", 20_000))
	s.want("one for a super-segment", "ACK 1 ack 23001")
	s.give(ack, 23001, 1, "y")
	s.append(10)
	s.want("with data", "ACK 1 ack 23002 len 10")
	if s.m.ack.at != 0 {
		t.Error("the delayed one is still owed")
	}
}

// A sender in slow start waits for nothing but acknowledgements: the first ones are not delayed.
func TestQuickAcknowledgementsAtTheStart(t *testing.T) {
	s := established(t, nil)
	for i := range quickAcks {
		s.give(ack, 1+i, 1, "x")
		if got := s.emit(); len(got) != 1 {
			t.Fatalf("segment %d: %v", i, got)
		}
	}
	s.give(ack, 1+quickAcks, 1, "x")
	s.want("delayed from now on")
}

// RFC 2018 §4: "the first SACK block MUST specify the contiguous block of data containing the segment which triggered
// this ACK", and "the SACK option SHOULD be filled out by repeating the most recently reported SACK blocks".
func TestSelectiveAcknowledgements(t *testing.T) {
	s := settled(t, nil)
	at := func(seq int) { s.give(ack, seq, 1, strings.Repeat("x", 100)) }
	at(201)
	s.want("immediately (RFC 5681 §4.2)", "ACK 1 ack 1 sack 201-301")
	at(401)
	s.want("the newest first", "ACK 1 ack 1 sack 401-501 sack 201-301")
	at(301)
	s.want("joined", "ACK 1 ack 1 sack 201-501")
	at(601)
	at(801)
	at(1001)
	s.want("all four", "ACK 1 ack 1 sack 1001-1101 sack 801-901 sack 601-701 sack 201-501")
	at(1)
	at(101)
	s.want("the gap is filled: at once", "ACK 1 ack 501 sack 1001-1101 sack 801-901 sack 601-701")
	s.wantRead(strings.Repeat("x", 500))
}

// RFC 2883 §4: "a D-SACK block is only used to report a duplicate contiguous sequence of data … in the most recent
// packet", once, in front, below the acknowledgement or inside the block after it.
func TestDuplicatesAreReported(t *testing.T) {
	s := settled(t, nil)
	s.give(ack, 1, 1, strings.Repeat("x", 300))
	s.give(ack, 501, 1, strings.Repeat("x", 200))
	s.want("a gap", "ACK 1 ack 301 sack 501-701")
	s.give(ack, 101, 1, strings.Repeat("x", 100))
	s.want("RFC 2883 §4.1: below", "ACK 1 ack 301 sack 101-201 sack 501-701")
	s.give(ack, 501, 1, strings.Repeat("x", 100))
	s.want("§4.2: inside the next block", "ACK 1 ack 301 sack 501-601 sack 501-701")
	s.give(ack, 801, 1, "x")
	s.want("reported once", "ACK 1 ack 301 sack 801-802 sack 501-701")
}

// RFC 9293 §3.8.6 (SHLD-14): the right edge of the window never moves left; (§3.8.6.2.2) and moves right by half the
// buffer or one segment at least.
func TestReceiveWindow(t *testing.T) {
	s := settled(t, func(c *Config) { c.ReceiveBuffer, c.MaxReceiveBuffer, c.NoWindowScale = 4000, 4000, true })
	window := func() int { s.emit(); return int(s.out[len(s.out)-1].Window) }
	edge := 4001
	for i := range 4 {
		s.give(ack, 1+1000*i, 1, strings.Repeat("x", 1000))
		s.m.Acknowledge()
		if got := 1 + 1000*(i+1) + window(); got != edge {
			t.Errorf("after %d segments the edge is %d, want %d", i+1, got, edge)
		}
	}
	s.give(ack, 4001, 1, "y")
	s.want("a window probe is answered and not taken (MUST-66)", "ACK 1 ack 4001")
	r, _ := s.m.Next(s.now)
	r.Release()
	s.want("the window has opened by a segment", "ACK 1 ack 4001")
	if s.out[0].Window != 1000 {
		t.Errorf("the window is %d", s.out[0].Window)
	}
}

// Small steps of a slow reader do not open the window by small steps (RFC 9293 §3.8.6.2.2, MUST-39).
func TestSillyWindowsAreNotAdvertised(t *testing.T) {
	s := settled(t, func(c *Config) { c.ReceiveBuffer, c.MaxReceiveBuffer, c.NoWindowScale = 4000, 4000, true })
	for i := range 40 {
		s.give(ack, 1+100*i, 1, strings.Repeat("x", 100))
	}
	s.emit()
	for i := range 9 {
		r, _ := s.m.Next(s.now)
		r.Release()
		s.m.Acknowledge()
		s.emit()
		if w := s.out[0].Window; w != 0 {
			t.Fatalf("after %d bytes were read the window is %d", 100*(i+1), w)
		}
	}
	r, _ := s.m.Next(s.now)
	r.Release()
	s.want("a whole segment", "ACK 1 ack 4001")
	if w := s.out[0].Window; w != 1000 {
		t.Errorf("the window is %d", w)
	}
}

// Dynamic right-sizing (M. Fisk, W. Feng, 2001): the window grows with what is read in a round trip, within the budget, and
// what was taken from it is given back.
func TestWindowGrowsWithinTheBudget(t *testing.T) {
	budget := &purse{left: 600_000}
	w := newWorld(t, 3, path{delay: 50 * time.Millisecond, rate: 10_000_000}, func(_, server *Config) {
		server.ReceiveBuffer, server.MaxReceiveBuffer, server.Budget = 64_000, 4<<20, budget
	})
	w.a.send = 5_000_000
	w.run(10 * time.Minute)
	w.wantWhole()
	if budget.most < 400_000 || budget.most > 600_000 || budget.left != 600_000 {
		t.Errorf("took %d at most, %d are left", budget.most, budget.left)
	}
}

// purse is a budget that notes what was taken.
type purse struct{ left, taken, most int }

func (p *purse) Reserve(n int) bool {
	if n > p.left {
		return false
	}
	p.left, p.taken = p.left-n, p.taken+n
	p.most = max(p.most, p.taken)
	return true
}

func (p *purse) Release(n int) { p.left, p.taken = p.left+n, p.taken-n }

// A window that fits the path and the budget does not limit a transfer: 10 MB/s at 100 ms need 1 MB.
func TestWindowFillsALongPath(t *testing.T) {
	w := newWorld(t, 3, path{delay: 50 * time.Millisecond, rate: 10_000_000, queue: 2_000_000}, nil)
	w.a.send = 20_000_000
	done := time.Time{}
	w.until("all is read", time.Minute, func() bool {
		done = w.now
		return w.b.got == w.a.send
	})
	if d := done.Sub(startTime); d > 3500*time.Millisecond {
		t.Errorf("20 MB at 10 MB/s took %v", d)
	}
}

// Small payloads in large buffers are copied while they wait, so that hostile or unlucky segmentation cannot pin many
// times what the window holds.
func TestSmallPayloadsDoNotPinLargeBuffers(t *testing.T) {
	for _, gap := range []int{0, 1} {
		w := newWorld(t, 5, path{delay: time.Millisecond}, nil)
		w.a.send, w.a.window, w.b.send = 1, 0, 1<<40 // neither closes
		w.b.paused = true
		w.until("connected", time.Second, func() bool { return w.b.m != nil })
		m := w.b.m
		held := w.live
		for i := range 1000 {
			mem := w.memory()
			s := wire.Segment{Src: clientAddr, Dst: serverAddr, Flags: wire.ACK, Seq: m.recvSeq(m.in.nxt).Add(gap + i*100 - int(m.in.unread)), Ack: m.sendSeq(m.nxt),
				Window: 100, Data: [][]byte{make([]byte, 100)}, Len: 100, Owner: mem, Pinned: 128 << 10}
			s.Options.HasTimestamps, s.Options.TSVal = true, m.ts.recent
			m.Receive(w.now, &s)
			mem.Release()
		}
		if n := w.live - held; n > 1 {
			t.Errorf("gap %d: %d buffers of 128 kB are held", gap, n)
		}
		if n := kept(m); n < 50_000 {
			t.Errorf("only %d bytes were kept", n)
		}
	}
}

// Every other byte of the window, from somebody who wants bookkeeping to cost more than data.
func TestHolesAreBounded(t *testing.T) {
	s := settled(t, func(c *Config) { c.ReceiveBuffer = 1 << 20 })
	s.win = 1000
	for i := range 60_000 {
		s.give(ack, 2+2*i, 1, "x")
	}
	if n := len(s.m.in.pieces); n > maxPieces {
		t.Errorf("%d pieces", n)
	}
}

// RFC 7323 §5.3, R1: "If … SEG.TSval < TS.Recent …, then treat the arriving segment as not acceptable: Send an
// acknowledgment in reply … and drop the segment"; §3.2: a segment without timestamps SHOULD be dropped silently.
func TestPAWS(t *testing.T) {
	s := settled(t, func(c *Config) { c.NoTimestamps = false })
	s.ts = 9000
	s.give(ack, 1, 1, "new")
	s.m.Acknowledge()
	s.emit()
	s.ts = 8000
	s.give(ack, 4, 1, "old")
	s.want("an acknowledgement", "ACK 1 ack 4")
	s.wantRead("new")
	s.ts = 0
	s.give(ack, 4, 1, "bare")
	s.want("nothing")
	s.wantRead("")
	t.Log("# a RST is not subject to it")
	s.ts = 8000
	s.give(wire.RST, 4, 1, "")
	s.wantState(Closed)
}

// RFC 7323 §4.3: TSecr is that of the segment which the acknowledgement advances for; a delayed one echoes the earliest.
func TestTimestampEcho(t *testing.T) {
	s := settled(t, func(c *Config) { c.NoTimestamps = false })
	full := strings.Repeat("x", 1000)
	s.ts = 8001
	s.give(ack, 1, 1, full)
	s.ts = 8002
	s.give(ack, 1001, 1, full)
	s.emit()
	if e := s.out[0].Options.TSEcr; e != 8001 {
		t.Errorf("echo of a delayed acknowledgement is %d, want the earliest", e)
	}
	s.ts = 8003
	s.give(ack, 3001, 1, full)
	s.emit()
	if e := s.out[0].Options.TSEcr; e == 8003 {
		t.Error("a segment beyond a gap was echoed")
	}
}

// RFC 9293 §3.8.6.1 (MUST-35, MUST-36): a closed window is probed with one octet, first after the RTO and then less and
// less often (SHLD-29, SHLD-30), and (MUST-37) for as long as the probes are answered.
func TestZeroWindowProbes(t *testing.T) {
	s := established(t, func(c *Config) { c.UserTimeout = 10 * time.Second })
	s.win = 0
	s.give(ack, 1, 1, "")
	s.append(5000)
	s.want("nothing")
	var last time.Duration
	for i := range 12 {
		wait := s.expire()
		if wait < last || i == 0 && wait != 200*time.Millisecond {
			t.Errorf("probe %d after %v, the one before after %v", i, wait, last)
		}
		last = wait
		s.want("one octet", "ACK 1 ack 1 len 1")
		s.give(ack, 1, 1, "")
	}
	s.wantState(Established)
	if s.cc.timeouts != 0 {
		t.Error("a closed window was taken for congestion")
	}
	t.Log("# the window opens")
	s.win = 2000
	s.give(ack, 1, 1, "")
	got := strings.Join(s.emit(), "; ")
	if got != "ACK 1 ack 1 len 1; ACK 2 ack 1 len 1000" && !strings.HasPrefix(got, "ACK 1 ack 1 len 1; ACK 2 ack 1 len 1") {
		t.Errorf("sent %s", got)
	}
}

// RFC 9293 §3.8.6.2.1: a sender does not fill small windows with small segments, unless it has to in the end.
func TestSillyWindowsAreNotFilled(t *testing.T) {
	s := established(t, nil)
	s.append(10_000)
	s.win = 300
	s.m.updateWindow(300, 1, 1)
	s.want("nothing: 300 of 1000 bytes")
	s.expire()
	s.want("after the override timeout", "ACK 1 ack 1 len 300")
}

// RFC 9293 §3.8.4: keep-alives are off by default; when on, they need several failures to end a connection.
func TestKeepAlive(t *testing.T) {
	s := established(t, nil)
	if d := s.m.Deadline(); !d.IsZero() {
		t.Errorf("an idle connection without keep-alive wakes at %v", d)
	}
	s = established(t, func(c *Config) { c.KeepAlive, c.KeepGap, c.KeepCount = time.Minute, time.Second, 2 })
	if wait := s.expire(); wait != time.Minute {
		t.Errorf("probed after %v", wait)
	}
	s.want("an empty segment below the window", "ACK 0 ack 1")
	s.give(ack, 1, 1, "")
	if wait := s.expire(); wait != time.Minute {
		t.Errorf("after an answer probed after %v", wait)
	}
	s.want("a probe", "ACK 0 ack 1")
	s.expire()
	s.want("a second", "ACK 0 ack 1")
	s.expire()
	s.wantState(Closed)
	s.wantErr(ErrTimeout)
}

// RFC 3168 §6.1: negotiation, echo until CWR, one reduction a round trip, and retransmissions are not ECN-capable.
func TestECN(t *testing.T) {
	s := dial(t, func(c *Config) { c.ECN = true })
	s.want("an ECN-setup SYN", "SYN|ECE|CWR 0")
	s.pass(rtt10)
	s.give(wire.SYN|wire.ACK|wire.ECE, 0, 1, "", wire.TCPOptions{MSS: 1000, SACKPermitted: true})
	s.emit()
	s.append(2000)
	s.emit()
	if s.out[0].ECN != wire.ECT0 {
		t.Error("data is not ECN-capable")
	}
	s.give(ack|wire.ECE, 1, 1001, "")
	s.give(ack|wire.ECE, 1, 2001, "")
	if s.cc.marks != 1 {
		t.Errorf("reduced %d times in one round trip", s.cc.marks)
	}
	s.append(1000)
	s.want("the reduction is told", "ACK|CWR 2001 ack 1 len 1000")
}
