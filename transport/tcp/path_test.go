package tcp

import (
	"strings"
	"testing"
	"time"

	"hawser/cc"
	"hawser/transport/wire"
)

// RFC 1191 §6, RFC 5927 §7: a too-big message about something in flight lowers the packet size and sends again, without
// a sign of congestion; one about anything else is ignored.
func TestICMPTooBig(t *testing.T) {
	s := established(t, nil)
	s.append(3000)
	s.emit()
	e := wire.ICMPError{Kind: wire.ICMPTooBig, MTU: 640, Seq: s.m.iss.Add(5000)}
	if err := s.m.Unreachable(s.now, &e); err != nil || s.m.mtu.mss != 1000 {
		t.Errorf("a forged one was believed: %v, MSS %d", err, s.m.mtu.mss)
	}
	e.Seq = s.m.iss.Add(1)
	if err := s.m.Unreachable(s.now, &e); err == nil || s.m.mtu.mss != 600 {
		t.Errorf("%v, MSS %d", err, s.m.mtu.mss)
	}
	if got := s.emit(); len(got) == 0 || !strings.HasPrefix(got[0], "ACK 1 ack 1 len 600") {
		t.Errorf("sent again: %v", got)
	}
	if s.cc.losses+s.cc.timeouts != 0 {
		t.Error("a too-big message was taken for congestion")
	}
	e.MTU = 100
	s.m.Unreachable(s.now, &e)
	if s.m.mtu.mss < 500 {
		t.Errorf("an MTU of 100 was believed: MSS %d", s.m.mtu.mss)
	}
}

// RFC 1191 §3: "the host may elect to end the discovery process by ceasing to set the DF bit in the datagram headers": for
// a router that takes less than 552 bytes. All that is sent from then on may be cut up, and what was not is sent again; the
// reports about what left before change nothing.
func TestRoutersBelowTheLeastMTUMayFragment(t *testing.T) {
	s := established(t, nil)
	s.append(3000)
	s.emit()
	e := wire.ICMPError{Kind: wire.ICMPTooBig, MTU: 296, Seq: s.m.iss.Add(1)}
	if s.out[0].Fragment || s.m.Unreachable(s.now, &e) == nil || s.m.mtu.mss != 512 {
		t.Fatalf("MSS %d, and before the message %v could be cut", s.m.mtu.mss, s.out[0].Fragment)
	}
	e.Seq = s.m.iss.Add(1001)
	if err := s.m.Unreachable(s.now, &e); err != nil {
		t.Errorf("a second one about the same is %v", err)
	}
	if s.emit(); s.m.stats.Retransmitted != 3000 {
		t.Errorf("%d of 3000 bytes were sent again", s.m.stats.Retransmitted)
	}
	for i := range s.out {
		if !s.out[i].Fragment || s.out[i].MSS != 512 {
			t.Errorf("%v in packets of %d, may be cut: %v", &s.out[i], s.out[i].MSS, s.out[i].Fragment)
		}
	}
	if s.cc.losses+s.cc.timeouts != 0 {
		t.Error("it was taken for congestion")
	}
	s.give(ack, 1, 3001, "x")
	s.m.Acknowledge()
	if s.emit(); !s.out[0].Fragment {
		t.Error("an acknowledgement must not be cut")
	}
}

// RFC 1191 §4: the next hop's MTU, which the message tells, is obeyed to the byte above the least; §5: an old router tells 0,
// and the next plateau is tried.
func TestTooBigDownToTheLeastMTU(t *testing.T) {
	for _, c := range []struct {
		mtus     []int
		mss      int
		fragment bool
	}{
		{[]int{576}, 536, false}, {[]int{560}, 520, false}, {[]int{552}, 512, false}, {[]int{551}, 512, true},
		{[]int{552, 68}, 512, true}, {[]int{0, 0, 0, 0, 0, 0}, 512, true},
	} {
		s := established(t, nil)
		for _, mtu := range c.mtus {
			s.append(1000)
			s.emit()
			s.m.Unreachable(s.now, &wire.ICMPError{Kind: wire.ICMPTooBig, MTU: mtu, Seq: s.m.sendSeq(s.m.una)})
		}
		if s.m.mtu.mss != c.mss || s.m.mtu.fragment != c.fragment {
			t.Errorf("%v: MSS %d, may be cut %v; want %d, %v", c.mtus, s.m.mtu.mss, s.m.mtu.fragment, c.mss, c.fragment)
		}
	}
}

// RFC 8200 §5: "IPv6 requires that every link in the Internet have an MTU of 1280 octets or greater": nothing less is
// believed, and nobody is asked to cut anything up.
func TestIPv6TakesAtLeast1280(t *testing.T) {
	s := establishedV6(t, nil)
	s.append(4000)
	s.emit()
	s.m.Unreachable(s.now, &wire.ICMPError{Kind: wire.ICMPTooBig, MTU: 600, Seq: s.m.iss.Add(1)})
	if s.m.mtu.mss != 1220 || s.m.mtu.fragment {
		t.Errorf("MSS %d, may be cut %v", s.m.mtu.mss, s.m.mtu.fragment)
	}
}

// What this host's own interface answers is true and needs no pieces: nothing larger leaves it.
func TestTheOwnInterfaceIsBelieved(t *testing.T) {
	s := established(t, nil)
	s.append(1000)
	s.emit()
	s.m.Unreachable(s.now, &wire.ICMPError{Kind: wire.ICMPTooBig, MTU: 300, Seq: s.m.iss.Add(1), Local: true})
	if s.m.mtu.mss != 260 || s.m.mtu.fragment {
		t.Errorf("MSS %d, may be cut %v", s.m.mtu.mss, s.m.mtu.fragment)
	}
}

// A path that has become better is found out by packets that must not be cut up (RFC 4821 §7.1: in pieces they would
// always arrive), and then none may be.
func TestFragmentationEnds(t *testing.T) {
	w := newWorld(t, 2, path{delay: 10 * time.Millisecond, rate: 100_000, mtu: 400}, nil)
	w.a.window, w.a.send = 1<<17, 1<<40
	w.until("cut up", time.Minute, func() bool { return w.a.m.mtu.fragment && w.b.got > 200_000 })
	w.until("a larger one was tried", time.Minute, func() bool { return w.a.m.mtu.raiseAt-w.a.m.now > raiseTime/2 })
	if !w.a.m.mtu.fragment {
		t.Error("a probe that was cut up has arrived")
	}
	w.a.link.mtu = 0
	w.check = false
	w.until("whole packets", 15*time.Minute, func() bool { return !w.a.m.mtu.fragment })
	w.until("back at the full size", 15*time.Minute, func() bool { return w.a.m.mtu.packet == w.a.m.mtu.top })
}

// RFC 5927 §6.2 and RFC 9293 §3.9.2.2 (MUST-56): soft errors never end a connection, hard ones only one that is not
// established.
func TestICMPErrorsEndOnlyHandshakes(t *testing.T) {
	for _, c := range []struct {
		kind  wire.ICMPKind
		state State
	}{{wire.ICMPSoft, SynSent}, {wire.ICMPHard, Closed}, {wire.ICMPProhibited, Closed}} {
		s := dial(t, nil)
		s.emit()
		s.m.Unreachable(s.now, &wire.ICMPError{Kind: c.kind, Seq: s.m.iss})
		s.wantState(c.state)
		s = established(t, nil)
		s.append(10)
		s.emit()
		s.m.Unreachable(s.now, &wire.ICMPError{Kind: c.kind, Seq: s.m.iss.Add(1)})
		s.wantState(Established)
	}
}

// RFC 4821 §7.7 and RFC 2923: full packets vanish without a word; smaller ones get through soon.
func TestBlackHole(t *testing.T) {
	for _, mtu := range []int{1400, 1250, 600, 560, 552, 400} { // the last one for packets that may be cut up
		w := newWorld(t, 2, path{delay: 10 * time.Millisecond, mtu: mtu}, nil)
		w.a.send = 200_000
		w.until("all is there", 20*time.Second, func() bool { return w.b.got == w.a.send })
		if w.a.m.stats.MTUDrops == 0 {
			t.Errorf("MTU %d: nothing was lowered", mtu)
		}
	}
}

// RFC 4821 §7.4 and §4: after a while larger packets are tried, and the loss of one is no sign of congestion.
func TestLargerPacketsAreTriedLater(t *testing.T) {
	w := newWorld(t, 2, path{delay: 10 * time.Millisecond, mtu: 1300}, nil)
	w.a.send = 1 << 40
	w.until("lowered", 10*time.Second, func() bool { return w.a.m.stats.MTUDrops > 0 && w.b.got > 0 })
	w.until("a probe was lost", time.Minute, func() bool { return w.a.m.mtu.raiseAt-w.a.m.now > raiseTime/2 })
	w.a.cc.firsts, w.a.cc.timeouts = 0, 0
	w.a.link.mtu = 0
	w.a.window, w.a.cc.fixed = 1<<17, 1<<16
	w.a.link.rate, w.b.link.rate = 100_000, 100_000
	w.check = false
	w.until("back at the full size", 15*time.Minute, func() bool { return w.a.m.mtu.packet == w.a.m.mtu.top })
	if w.a.cc.timeouts != 0 {
		t.Errorf("%d timeouts", w.a.cc.timeouts)
	}
}

// Pacing: at 1 MB/s, 1 MB takes a second, in portions of a millisecond or two packets, and no timer is shorter than
// a millisecond.
func TestPacing(t *testing.T) {
	s := established(t, nil)
	s.cc.rate, s.cc.fixed = 1_000_000, 10_000_000
	s.win = 0xffff
	s.m.window.edge = 1 << 30
	s.append(1_000_000)
	start := s.now
	for s.m.Unsent() > 0 {
		sent := s.m.stats.SentBytes
		s.emit()
		if burst := s.m.stats.SentBytes - sent; burst > 6000 {
			t.Fatalf("%d bytes left at once", burst)
		}
		s.give(ack, 1, int(s.m.nxt), "") // everything arrives at once
		if at := s.m.pace.wakeAt; s.m.Unsent() > 0 && at-s.m.now < time.Millisecond {
			t.Fatalf("wakes after %v", at-s.m.now)
		}
		if s.m.Unsent() > 0 {
			s.pass(s.m.pace.wakeAt - s.m.now)
		}
	}
	if d := s.now.Sub(start); d < 980*time.Millisecond || d > 1010*time.Millisecond {
		t.Errorf("took %v", d)
	}
}

// Super-segments: a millisecond of the rate, two packets at least, 62 kB at most, whole packets.
func TestSuperSegmentSize(t *testing.T) {
	s := established(t, nil)
	for rate, want := range map[int]int{1000: 2000, 10_000_000: 10_000, 12_345_678: 12_000, 1_000_000_000: 62_000} {
		s.cc.rate = rate
		if got := s.m.SuperSegment(); got != want {
			t.Errorf("at %d bytes/s: %d, want %d", rate, got, want)
		}
	}
}

// draft-cheng-iccrg-delivery-rate-estimation §3: the sample of a steady flow is the rate of the path, and what the
// application left unused is marked.
func TestDeliveryRate(t *testing.T) {
	w := newWorld(t, 4, path{delay: 20 * time.Millisecond, rate: 1_250_000, queue: 100_000}, nil)
	w.a.send = 3_000_000
	w.until("half of it", 10*time.Second, func() bool { return w.b.got > w.a.send/2 })
	a := w.a.cc.lastAck
	if a.Rate < 1_100_000 || a.Rate > 1_300_000 || a.AppLimited {
		t.Errorf("rate sample on a path of 1.25 MB/s less headers: %+v", a)
	}
	if a.Delivered <= a.PriorDelivered {
		t.Errorf("delivered %d, prior %d", a.Delivered, a.PriorDelivered)
	}
	s := established(t, nil)
	s.append(1000)
	s.emit()
	s.append(1000)
	s.emit()
	s.pass(rtt10)
	s.give(ack, 1, 2001, "")
	if !s.cc.lastAck.AppLimited {
		t.Error("an application that has nothing to send is not seen")
	}
}

// RFC 7661 §4.4: the controller learns of an idle time before the first bytes after it.
func TestIdleIsReported(t *testing.T) {
	s := flight(t, 1, nil)
	s.pass(rtt10)
	s.give(ack, 1, 1001, "")
	s.pass(3 * time.Second)
	s.append(10)
	s.emit()
	if s.cc.idle != 3*time.Second {
		t.Errorf("idle for %v", s.cc.idle)
	}
}

// mapper is an Extension that writes the mapping's data sequence number into the options.
type mapper struct{ acks int }

func (*mapper) Room() int { return 28 }

func (e *mapper) Options(dst []byte, s *wire.Segment, m *wire.Mapping, room int) []byte {
	d := wire.DSS{HasAck: true, AckWide: true, Ack: uint64(e.acks)}
	e.acks++
	if m != nil {
		d.HasMap, d.DSNWide, d.Map = true, true, *m
	}
	if s.Flags.Has(wire.SYN) || room < 26 {
		return dst
	}
	return wire.AppendDSS(dst, &d)
}

// RFC 8684 §3.3.1: "A Data Sequence Mapping … MUST NOT be changed" once declared: segments stay inside their mapping and
// repeat it, first time, by loss, by timeout and after the packet size was lowered.
func TestMappingsAreImmutable(t *testing.T) {
	w := newWorld(t, 11, path{delay: 10 * time.Millisecond, rate: 1_000_000, loss: 0.05}, func(a, _ *Config) { a.Extension = &mapper{} })
	w.a.send, w.a.window = 1, 0
	w.until("connected", 30*time.Second, func() bool { return w.b.m != nil })
	type run struct{ from, to uint64 }
	maps := map[uint64]wire.Mapping{}
	const total = 300_000
	for off := 0; off < total; {
		n := min(500+off%9000, total-off)
		b := make([]byte, n)
		for i := range b {
			b[i] = octet("a", int64(off+i))
		}
		m := wire.Mapping{DSN: uint64(1000 + off), SSN: uint32(1 + off), Len: uint16(n)}
		maps[m.DSN] = m
		if err := w.a.m.AppendMapped(b, w.memory(), m); err != nil {
			t.Fatal(err)
		}
		off += n
	}
	w.a.send, w.a.put, w.b.send = total, total, 1
	seen, again, dead := 0, 0, time.Time{}
	w.a.link.eat = func(s *wire.Segment) bool {
		if s.Len == 0 {
			return false
		}
		var d wire.DSS
		if d.Consume(s.Options.MPTCP()) < 0 || !d.HasMap || maps[d.Map.DSN] != d.Map {
			t.Fatalf("%v has no mapping or a changed one: %v", s, d)
		}
		off := s.Seq.Diff(w.a.m.SendSeq())
		r := run{d.Map.DSN - 1000, d.Map.End() - 1000}
		if uint64(off) < r.from || uint64(off+s.Len) > r.to {
			t.Fatalf("%v reaches out of its mapping %+v", s, r)
		}
		if s.Options.Len() > wire.MaxTCPOptions {
			t.Fatalf("%d bytes of options", s.Options.Len())
		}
		seen++
		if int64(off)+1 < w.a.m.nxt-int64(s.Len) {
			again++
		}
		if seen == 50 {
			dead = w.now.Add(3 * time.Second) // an outage in between: timeouts, and smaller packets
		}
		return w.now.Before(dead)
	}
	w.until("all is there", 10*time.Minute, func() bool { return w.b.got == total })
	if seen < 200 || again == 0 || w.a.m.stats.MTUDrops == 0 {
		t.Errorf("%d segments, %d of them retransmissions, %+v", seen, again, w.a.m.stats)
	}
}

// RFC 8684 §3: options of a segment that is not acceptable to TCP change nothing; the others are handed up.
func TestOptionsAreHandedUpOnlyWhenValid(t *testing.T) {
	s := established(t, func(c *Config) { c.Extension = &mapper{} })
	for {
		if _, ok := s.m.Poll(); !ok {
			break
		}
	}
	var o wire.TCPOptions
	o.SetMPTCP([]byte{30, 3, 0x51})
	for _, seg := range []struct{ seq, ack int }{{-100, 1}, {10_000_000, 1}, {1, 900}, {1, -1_000_000}} {
		s.give(ack, seg.seq, seg.ack, "x", o)
	}
	for {
		e, ok := s.m.Poll()
		if !ok {
			break
		}
		if e.Kind == EventOptions {
			t.Errorf("options of a bad segment were handed up: %+v", e)
		}
	}
	s.give(ack, 1, 1, "x", o)
	e, _ := s.m.Poll()
	if e.Kind != EventOptions || string(e.Options.MPTCP()) != "\x1e\x03\x51" || e.Offset != 0 || e.Len != 1 {
		t.Errorf("got %+v", e)
	}
}

// Hostile segments against every state, from a seed; FuzzMachine searches further.
func TestHostileSegments(t *testing.T) {
	w := newWorld(t, 99, path{}, nil)
	for range 60 {
		b := make([]byte, 16*40)
		w.rng.Read(b)
		for state, victim := range stateWorlds(t) {
			attack(t, state, victim, b)
		}
	}
}

var _ cc.Controller = (*reno)(nil)
