package tcp

import (
	"net/netip"
	"testing"
	"time"

	"hawser/cc"
	"hawser/transport/wire"
)

// desk is a listener whose peers are the test.
type desk struct {
	t   *testing.T
	l   *Listener
	now time.Time
}

func newDesk(t *testing.T, tune func(*ListenerConfig)) *desk {
	cfg := ListenerConfig{Conn: Config{Secret: [32]byte{4}, Control: func(c cc.Config) cc.Controller { return newReno(c) }}}
	if tune != nil {
		tune(&cfg)
	}
	l, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, l: l, now: startTime}
}

// fullSYN is what peers of today send.
func fullSYN() wire.TCPOptions {
	return wire.TCPOptions{MSS: 1440, SACKPermitted: true, HasWindowScale: true, WindowScale: 9, HasTimestamps: true, TSVal: 77}
}

func (d *desk) syn(from netip.AddrPort, isn wire.Seq, o wire.TCPOptions, f wire.Flags) {
	d.l.Receive(d.now, &wire.Segment{Src: from, Dst: serverAddr, Seq: isn, Flags: wire.SYN | f, Window: 1000, Options: o})
}

// reply is the next segment that the listener sends.
func (d *desk) reply() *wire.Segment {
	var s wire.Segment
	if !d.l.Emit(d.now, &s) {
		return nil
	}
	return &s
}

// complete answers a SYN-ACK with the third segment.
func (d *desk) complete(r *wire.Segment, data string) (*Machine, error) {
	s := wire.Segment{Src: r.Dst, Dst: r.Src, Seq: r.Ack, Ack: r.Seq.Add(1), Flags: wire.ACK, Window: 500, Len: len(data)}
	if data != "" {
		s.Data = [][]byte{[]byte(data)}
	}
	if r.Options.HasTimestamps {
		s.Options.HasTimestamps, s.Options.TSVal, s.Options.TSEcr = true, 78, r.Options.TSVal
	}
	err := d.l.Receive(d.now, &s)
	m, _ := d.l.Accept()
	return m, err
}

// RFC 4987 §3.6: a SYN cookie completes a handshake of which nothing was kept, options included.
func TestCookieCarriesTheHandshake(t *testing.T) {
	for _, remembered := range []bool{true, false} {
		d := newDesk(t, nil)
		d.syn(clientAddr, 1000, fullSYN(), wire.ECE|wire.CWR)
		r := d.reply()
		if r == nil || r.Flags != wire.SYN|wire.ACK|wire.ECE || r.Ack != 1001 || r.Options.TSEcr != 77 {
			t.Fatalf("SYN-ACK is %v", r)
		}
		if !remembered {
			clear(d.l.half)
			d.l.halfUsed = 0
		}
		d.now = d.now.Add(20 * time.Millisecond)
		m, err := d.complete(r, "hello")
		if m == nil {
			t.Fatalf("remembered %v: not completed: %v", remembered, err)
		}
		want := peer{mss: 1440, scale: 9, scaled: true, ownScale: m.peer.ownScale, sack: true, stamped: true, ecn: true}
		if m.State() != Established || m.peer != want {
			t.Errorf("remembered %v: %v, agreed on %+v, want %+v", remembered, m.State(), m.peer, want)
		}
		if m.window.edge != 1+500<<9 {
			t.Errorf("the peer's window ends at %d", m.window.edge)
		}
		if run, ok := m.Next(d.now); !ok || string(run.B) != "hello" {
			t.Error("the data of the third segment is gone")
		}
		if rtt := m.Info().SRTT; remembered && rtt != 20*time.Millisecond || rtt == 0 || rtt > 100*time.Millisecond {
			t.Errorf("remembered %v: SRTT is %v", remembered, rtt)
		}
	}
}

// A guessed, an old or a foreign cookie opens nothing and is refused (RFC 9293 §3.10.7.1).
func TestCookiesCannotBeForged(t *testing.T) {
	d := newDesk(t, nil)
	d.syn(clientAddr, 1000, fullSYN(), 0)
	r := d.reply()
	clear(d.l.half)
	d.l.halfUsed = 0
	for name, change := range map[string]func(*wire.Segment){
		"another number":   func(s *wire.Segment) { s.Seq++ },
		"another peer ISN": func(s *wire.Segment) { s.Ack++ },
		"another address":  func(s *wire.Segment) { s.Dst = netip.MustParseAddrPort("192.0.2.9:40000") },
		"another port":     func(s *wire.Segment) { s.Dst = netip.MustParseAddrPort("192.0.2.1:40001") },
		"another MSS":      func(s *wire.Segment) { s.Seq ^= 1 << 24 },
	} {
		bad := *r
		change(&bad)
		if m, _ := d.complete(&bad, ""); m != nil {
			t.Errorf("%s: accepted", name)
		}
		if a := d.reply(); a == nil || !a.Flags.Has(wire.RST) {
			t.Errorf("%s: answered with %v", name, a)
		}
	}
	d.now = d.now.Add(3 * cookieSlot)
	if m, _ := d.complete(r, ""); m != nil {
		t.Error("an old cookie was accepted")
	}
}

// RFC 4987 §2.1: a SYN flood fills the tables of those who keep state for strangers. The state before a handshake is
// complete is bounded whatever arrives, and one source is bounded by itself.
func TestSynFlood(t *testing.T) {
	d := newDesk(t, func(c *ListenerConfig) { c.HalfOpen, c.HalfOpenPerSource, c.SYNRate = 64, 8, 10 })
	answers := 0
	for i := range 1000 {
		d.syn(netip.AddrPortFrom(clientAddr.Addr(), uint16(1+i)), wire.Seq(i), fullSYN(), 0)
		for d.reply() != nil {
			answers++
		}
	}
	if answers != 20 || d.l.HalfOpen() != 8 {
		t.Errorf("one source got %d answers and %d places", answers, d.l.HalfOpen())
	}
	for i := range 10_000 {
		d.syn(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 5), wire.Seq(i), fullSYN(), 0)
		d.reply()
	}
	if d.l.HalfOpen() != 64 || len(d.l.replies) > maxReplies {
		t.Errorf("%d half-open, %d answers wait", d.l.HalfOpen(), len(d.l.replies))
	}
	t.Log("# somebody else still gets in, by cookie")
	d.syn(netip.MustParseAddrPort("203.0.113.1:9"), 5, fullSYN(), 0)
	r := d.reply()
	if r == nil {
		t.Fatal("no answer")
	}
	if m, err := d.complete(r, ""); m == nil {
		t.Errorf("not accepted: %v", err)
	}
}

// RFC 9293 §3.8.1: a lost SYN-ACK is repeated with back-off, a few times; then the handshake is forgotten.
func TestSynAckIsRepeated(t *testing.T) {
	d := newDesk(t, nil)
	d.syn(clientAddr, 1000, fullSYN(), 0)
	first := d.reply()
	for i := 0; ; i++ {
		at := d.l.Deadline()
		if at.IsZero() {
			if i != synAckTries+1 {
				t.Errorf("forgotten after %d deadlines", i)
			}
			break
		}
		d.now = at
		d.l.Advance(d.now)
		if r := d.reply(); i < synAckTries && (r == nil || r.Seq != first.Seq || r.Options.TSVal&stampBits != first.Options.TSVal&stampBits) {
			t.Errorf("repetition %d is %v", i, r)
		}
	}
}

// A peer without timestamps has its options while it is remembered, and plain TCP when it is not.
func TestPeersWithoutTimestamps(t *testing.T) {
	o := fullSYN()
	o.HasTimestamps = false
	d := newDesk(t, func(c *ListenerConfig) { c.HalfOpen = 1 })
	d.syn(clientAddr, 1000, o, 0)
	if r := d.reply(); !r.Options.SACKPermitted || !r.Options.HasWindowScale {
		t.Errorf("remembered, and yet offered %v", r)
	}
	d.syn(netip.MustParseAddrPort("203.0.113.1:9"), 5, o, 0)
	r := d.reply()
	if r.Options.SACKPermitted || r.Options.HasWindowScale {
		t.Errorf("not remembered, and yet offered %v", r)
	}
	m, _ := d.complete(r, "")
	if m == nil || m.peer.sack || m.peer.scaled || m.peer.mss != 1440 {
		t.Errorf("completed as %+v", m)
	}
}

// Segments of nobody's connections, sent in a client's name, do not keep it from connecting.
func TestRefusalsTakeNothingFromSYNs(t *testing.T) {
	d := newDesk(t, nil)
	for i := range 3 * d.l.cfg.SYNRate {
		d.l.Receive(d.now, &wire.Segment{Src: clientAddr, Dst: serverAddr, Flags: wire.ACK, Seq: wire.Seq(i), Ack: 900})
	}
	refused := 0
	for d.reply() != nil {
		refused++
	}
	if refused == 0 || refused >= 3*d.l.cfg.SYNRate {
		t.Errorf("%d of %d were refused", refused, 3*d.l.cfg.SYNRate)
	}
	d.syn(clientAddr, 1000, fullSYN(), 0)
	if d.reply() == nil {
		t.Error("the client's SYN is not answered")
	}
}

// What a SYN-ACK has granted a peer without timestamps holds, or there is no connection: "the window scale … is fixed in each
// direction when a connection is opened" (RFC 7323 §2.1), and one side that scales without the other would stop both.
func TestGrantsThatNobodyRemembersAreRefused(t *testing.T) {
	o := fullSYN()
	o.HasTimestamps = false
	for name, forget := range map[string]func(d *desk){
		"by time": func(d *desk) {
			for next := d.l.Deadline(); !next.IsZero(); next = d.l.Deadline() {
				d.now = next
				d.l.Advance(d.now)
				for d.reply() != nil {
				}
			}
		},
		"by another listener of the same secret": func(d *desk) { d.l = newDesk(d.t, nil).l },
	} {
		d := newDesk(t, nil)
		d.syn(clientAddr, 1000, o, 0)
		r := d.reply()
		if !d.l.Remembers(serverAddr, clientAddr) || !r.Options.HasWindowScale || !r.Options.SACKPermitted {
			t.Fatalf("offered %v", r)
		}
		forget(d)
		if d.l.Remembers(serverAddr, clientAddr) {
			t.Errorf("%s: it is still remembered", name)
		}
		if m, _ := d.complete(r, ""); m != nil {
			t.Errorf("%s: completed with scale %v and SACK %v", name, m.peer.scaled, m.peer.sack)
		}
		if answer := d.reply(); answer == nil || answer.Flags != wire.RST {
			t.Errorf("%s: answered with %v, want a RST", name, answer)
		}
		d.syn(clientAddr, 2000, o, 0)
		if m, _ := d.complete(d.reply(), ""); m == nil || !m.peer.scaled || !m.peer.sack {
			t.Errorf("%s: the next attempt gave %+v", name, m)
		}
	}
}

func TestTheNextSYNIsToldTheNewMTU(t *testing.T) {
	d := newDesk(t, nil)
	d.syn(clientAddr, 1000, fullSYN(), 0)
	first := d.reply()
	if err := d.l.SetMTU(1280); err != nil {
		t.Fatal(err)
	}
	if m, _ := d.complete(first, ""); m == nil {
		t.Error("the handshake before is lost")
	}
	d.syn(netip.MustParseAddrPort("203.0.113.1:9"), 5, fullSYN(), 0)
	if r := d.reply(); r.Options.MSS != 1240 {
		t.Errorf("MSS %d, want 1240", r.Options.MSS)
	}
	if err := d.l.SetMTU(20); err == nil {
		t.Error("an MTU of 20 is accepted")
	}
}

// RFC 9293 §3.10.7.1 and §3.10.7.2: what is for nobody is refused, RSTs are ignored, broadcasts are dropped (RFC 1122
// §4.2.3.10).
func TestStraySegments(t *testing.T) {
	d := newDesk(t, nil)
	give := func(s wire.Segment) *wire.Segment {
		if !s.Src.IsValid() {
			s.Src = clientAddr
		}
		s.Dst = serverAddr
		d.l.Receive(d.now, &s)
		return d.reply()
	}
	if r := give(wire.Segment{Flags: wire.ACK, Seq: 5, Ack: 900}); r == nil || r.Flags != wire.RST || r.Seq != 900 {
		t.Errorf("an ACK was answered with %v", r)
	}
	if r := give(wire.Segment{Flags: wire.FIN, Seq: 5, Len: 3}); r == nil || r.Flags != wire.RST|wire.ACK || r.Ack != 9 {
		t.Errorf("a FIN was answered with %v", r)
	}
	if r := give(wire.Segment{Flags: wire.RST | wire.ACK, Ack: 900}); r != nil {
		t.Errorf("a RST was answered with %v", r)
	}
	if r := give(wire.Segment{Flags: wire.SYN, Src: netip.MustParseAddrPort("224.0.0.1:5")}); r != nil {
		t.Errorf("multicast was answered with %v", r)
	}
}

// No more connections are completed than wait for Accept; the peer tries again.
func TestBacklog(t *testing.T) {
	d := newDesk(t, func(c *ListenerConfig) { c.Backlog, c.HalfOpenPerSource = 2, 100 })
	var last *wire.Segment
	for i := range 3 {
		d.syn(netip.AddrPortFrom(clientAddr.Addr(), uint16(1+i)), 7, fullSYN(), 0)
		last = d.reply()
		s := wire.Segment{Src: last.Dst, Dst: last.Src, Seq: 8, Ack: last.Seq.Add(1), Flags: wire.ACK, Window: 500}
		s.Options.HasTimestamps, s.Options.TSVal, s.Options.TSEcr = true, 78, last.Options.TSVal
		d.l.Receive(d.now, &s)
	}
	if d.l.Stats().Accepted != 2 || d.l.Stats().Overflow != 1 {
		t.Errorf("%+v", d.l.Stats())
	}
	d.l.Accept()
	if m, err := d.complete(last, ""); m == nil {
		t.Errorf("not completed later: %v", err)
	}
}

// RFC 6528 §3: ISN = M + F(…): the same pair of addresses counts on with a 4 µs clock, others are unrelated.
func TestInitialSequenceNumbers(t *testing.T) {
	secret := [32]byte{1}
	a := initialSeq(&secret, clientAddr, serverAddr, startTime)
	if d := initialSeq(&secret, clientAddr, serverAddr, startTime.Add(time.Second)).Diff(a); d != 250_000 {
		t.Errorf("a second later it is %d further", d)
	}
	other := netip.AddrPortFrom(clientAddr.Addr(), clientAddr.Port()+1)
	if d := initialSeq(&secret, other, serverAddr, startTime).Diff(a); d > -1000 && d < 1000 {
		t.Errorf("the next port is only %d away", d)
	}
	secret[31] = 1
	if initialSeq(&secret, clientAddr, serverAddr, startTime) == a {
		t.Error("the secret does not matter")
	}
}
