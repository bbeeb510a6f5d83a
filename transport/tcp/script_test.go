package tcp

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hawser/cc"
	"hawser/transport/wire"
)

// A script is a machine whose peer is the test. Numbers are relative: 0 is each side's SYN.
type script struct {
	t   *testing.T
	m   *Machine
	cc  *reno
	now time.Time
	ts  uint32 // the peer's timestamp clock; 0: it has none
	win uint16
	out []wire.Segment
}

const peerISN = wire.Seq(4_000_000_000) // so that numbers wrap soon

// dial makes a machine and takes its SYN.
func dial(t *testing.T, tune func(*Config)) *script {
	s := &script{t: t, now: startTime, win: 0xffff}
	cfg := Config{Local: clientAddr, Remote: serverAddr, Secret: [32]byte{9}, MSL: time.Second, NoTimestamps: true,
		Control: func(c cc.Config) cc.Controller { s.cc = newReno(c); return s.cc }}
	if tune != nil {
		tune(&cfg)
	}
	m, err := Dial(cfg, s.now)
	if err != nil {
		t.Fatal(err)
	}
	s.m = m
	return s
}

// established is dial with the handshake done: MSS 1000, SACK, window scale 0.
func established(t *testing.T, tune func(*Config)) *script {
	t.Helper()
	s := dial(t, tune)
	s.want("the SYN", "SYN 0")
	if !s.m.cfg.NoTimestamps {
		s.ts = 7000
	}
	s.answer(func(o *wire.TCPOptions) {})
	s.want("the handshake's third segment", "ACK 1 ack 1")
	return s
}

// establishedV6 is established over IPv6, with what peers there take.
func establishedV6(t *testing.T, tune func(*Config)) *script {
	t.Helper()
	s := dial(t, func(c *Config) {
		c.Local, c.Remote = netip.MustParseAddrPort("[2001:db8::1]:40000"), netip.MustParseAddrPort("[2001:db8:1::2]:443")
		if tune != nil {
			tune(c)
		}
	})
	s.want("the SYN", "SYN 0")
	s.answer(func(o *wire.TCPOptions) { o.MSS = 1440 })
	s.want("the handshake's third segment", "ACK 1 ack 1")
	return s
}

// answer gives the SYN-ACK, 10 ms later.
func (s *script) answer(tune func(*wire.TCPOptions)) {
	s.pass(10 * time.Millisecond)
	o := wire.TCPOptions{MSS: 1000, SACKPermitted: true, HasWindowScale: true}
	tune(&o)
	s.give(wire.SYN|wire.ACK, 0, 1, "", o)
}

// give hands the machine a segment of the peer.
func (s *script) give(f wire.Flags, seq, ack int, data string, opts ...wire.TCPOptions) error {
	seg := wire.Segment{Src: serverAddr, Dst: clientAddr, Flags: f, Seq: peerISN.Add(seq), Ack: s.m.iss.Add(ack), Window: s.win, Len: len(data)}
	if len(opts) > 0 {
		seg.Options = opts[0]
	}
	if s.ts != 0 && !seg.Options.HasTimestamps {
		seg.Options.HasTimestamps, seg.Options.TSVal, seg.Options.TSEcr = true, s.ts, s.m.tsNow()
	}
	if data != "" {
		seg.Data = [][]byte{[]byte(data)}
	}
	return s.m.Receive(s.now, &seg)
}

// sack is options with blocks about the machine's stream, given as start, end, start, end …
func (s *script) sack(edges ...int) (o wire.TCPOptions) {
	for i := 0; i < len(edges); i += 2 {
		o.AddSACK(wire.SACKBlock{Start: s.m.iss.Add(edges[i]), End: s.m.iss.Add(edges[i+1])})
	}
	return o
}

// pass lets time go by, and acts on timers.
func (s *script) pass(d time.Duration) {
	s.now = s.now.Add(d)
	s.m.Advance(s.now)
}

// expire goes to the next deadline.
func (s *script) expire() time.Duration {
	s.t.Helper()
	d := s.m.Deadline()
	if d.IsZero() {
		s.t.Fatal("no timer runs")
	}
	wait := d.Sub(s.now)
	s.pass(max(wait, 0))
	return wait
}

// append queues n bytes.
func (s *script) append(n int) { s.m.Append(make([]byte, n), nil) }

// emit takes everything that is due.
func (s *script) emit() []string {
	var got []string
	s.out = s.out[:0]
	for {
		var seg wire.Segment
		if !s.m.Emit(s.now, &seg) {
			return got
		}
		s.out = append(s.out, seg)
		got = append(got, s.line(&seg))
	}
}

func (s *script) line(seg *wire.Segment) string {
	text := fmt.Sprintf("%v %d", seg.Flags&^wire.PSH, seg.Seq.Diff(s.m.iss))
	if seg.Flags.Has(wire.ACK) {
		text += fmt.Sprintf(" ack %d", seg.Ack.Diff(peerISN))
	}
	if seg.Len > 0 {
		text += fmt.Sprintf(" len %d", seg.Len)
	}
	for _, b := range seg.Options.SACK[:seg.Options.NumSACK] {
		text += fmt.Sprintf(" sack %d-%d", b.Start.Diff(peerISN), b.End.Diff(peerISN))
	}
	return text
}

// want checks what is due now.
func (s *script) want(why string, lines ...string) {
	s.t.Helper()
	got := s.emit()
	if strings.Join(got, "; ") != strings.Join(lines, "; ") {
		s.t.Fatalf("%s:\n got %s\nwant %s", why, strings.Join(got, "; "), strings.Join(lines, "; "))
	}
}

func (s *script) wantState(want State) {
	s.t.Helper()
	if s.m.State() != want {
		s.t.Fatalf("state is %v, want %v", s.m.State(), want)
	}
}

// wantErr checks how the connection has ended.
func (s *script) wantErr(want error) {
	s.t.Helper()
	for {
		e, ok := s.m.Poll()
		if !ok {
			s.t.Fatalf("the connection did not end; want %v", want)
		}
		if e.Kind == EventClosed {
			if e.Err != want {
				s.t.Fatalf("ended with %v, want %v", e.Err, want)
			}
			return
		}
	}
}

// wantRead checks what can be read.
func (s *script) wantRead(want string) {
	s.t.Helper()
	got := ""
	for {
		r, ok := s.m.Next(s.now)
		if !ok {
			break
		}
		got += string(r.B)
		r.Release()
	}
	if got != want {
		s.t.Fatalf("read %q, want %q", got, want)
	}
}
