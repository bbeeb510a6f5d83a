package middlebox

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"hawser/test/netlab"
)

// A bench hands segments to stages and notes what comes out of them.
type bench struct {
	t     *testing.T
	now   time.Time
	v6    bool
	there []string // forwarded in the direction of the stage
	back  []string // returned to the sender
	raw   [][]byte // the frames of there
}

func newBench(t *testing.T) *bench { return &bench{t: t, now: time.Unix(1_000_000, 0)} }

// Forward implements netlab.Output.
func (b *bench) Forward(frame []byte) {
	b.there, b.raw = append(b.there, describe(frame)), append(b.raw, bytes.Clone(frame))
}

// Return implements netlab.Output.
func (b *bench) Return(frame []byte) { b.back = append(b.back, describe(frame)) }

// pass hands a segment to a stage, in a frame that is spoilt afterwards as a link's may be.
func (b *bench) pass(stage netlab.Stage, s segment) {
	frame := b.frame(s)
	stage.Handle(b.now, frame, b)
	for i := range frame {
		frame[i] = 0xee
	}
}

// wake moves time to the stage's deadline and wakes it.
func (b *bench) wake(stage netlab.Stage) {
	b.t.Helper()
	timed := stage.(netlab.TimedStage)
	at := timed.Deadline()
	if at.IsZero() {
		b.t.Fatal("the stage has no deadline")
	}
	if at.After(b.now) {
		b.now = at
	}
	timed.Wake(b.now, b)
	if d := timed.Deadline(); !d.IsZero() && !d.After(b.now) {
		b.t.Fatalf("deadline %v after it was woken at %v", d, b.now)
	}
}

// want compares what has come out since the last call.
func (b *bench) want(why string, there, back []string) {
	b.t.Helper()
	if !slices.Equal(b.there, there) || !slices.Equal(b.back, back) {
		b.t.Errorf("%s:\n  forwarded %q\n       want %q\n  returned  %q\n       want %q", why, b.there, there, b.back, back)
	}
	b.there, b.back, b.raw = nil, nil, nil
}

// frame makes a frame of a segment.
func (b *bench) frame(s segment) []byte {
	head := []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00}
	if b.v6 {
		head[12], head[13] = 0x86, 0xdd
		head = append(head, 0x60, 0, 0, 0, 0, 0, protocolTCP, 64)
		s.src = netip.AddrPortFrom(widen(s.src.Addr()), s.src.Port())
		s.dst = netip.AddrPortFrom(widen(s.dst.Addr()), s.dst.Port())
	} else {
		head = append(head, 0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, protocolTCP, 0, 0)
	}
	head = append(append(head, s.src.Addr().AsSlice()...), s.dst.Addr().AsSlice()...)
	s.network, s.ip = head, etherHeader
	return s.frame()
}

func widen(a netip.Addr) netip.Addr { return netip.AddrFrom16([16]byte{0: 0xfd, 15: a.As4()[3]}) }

var (
	client = netip.MustParseAddrPort("192.0.2.1:1000")
	server = netip.MustParseAddrPort("192.0.2.2:80")
)

// ahead and back are segments of the one connection that tests use.
func ahead(flags string, seq, ack uint32, payload string, options ...[]byte) segment {
	return segment{
		src: client, dst: server, seq: seq, ack: ack, flags: parseFlags(flags), window: 1000,
		options: padded(slices.Concat(options...)), payload: []byte(payload),
	}
}

func back(flags string, seq, ack uint32, payload string, options ...[]byte) segment {
	s := ahead(flags, seq, ack, payload, options...)
	s.src, s.dst = s.dst, s.src
	return s
}

const flagLetters = "FSRPAUEC"

func parseFlags(s string) (f uint16) {
	for _, letter := range s {
		f |= 1 << strings.IndexRune(flagLetters, letter)
	}
	return f
}

// Options for tests.
var (
	optMSS     = []byte{kindMSS, 4, 5, 0xb4}
	optScale   = []byte{kindNOP, kindWindowScale, 3, 7}
	optPermit  = []byte{kindNOP, kindNOP, kindSACKPermitted, 2}
	optTime    = appendTimestamps(nil, 7, 9)
	optCapable = []byte{kindMPTCP, 4, 0x01, 0x01}
	optJoin    = []byte{kindMPTCP, 12, 0x10, 1, 1, 2, 3, 4, 5, 6, 7, 8}
	optDSS     = []byte{kindMPTCP, 8, 0x20, 0x01, 0, 0, 0, 5}
	optFast    = []byte{34, 2, kindNOP, kindNOP}
)

func optSACK(edges ...uint32) []byte {
	b := []byte{kindNOP, kindNOP, kindSACK, byte(2 + 4*len(edges))}
	for _, e := range edges {
		b = binary.BigEndian.AppendUint32(b, e)
	}
	return b
}

// describe prints a segment: direction, flags, sequence numbers, acknowledgement, options and payload. It finds fault
// with lengths and checksums that dissect does not look at.
func describe(frame []byte) string {
	s, ok := dissect(frame)
	if !ok {
		return "not TCP, or broken"
	}
	if len(frame) != len(s.network)+tcpHeader+len(s.options)+len(s.payload) {
		return "IP length does not fit"
	}
	if s.src.Addr().Is4() && checksum(0, s.network[s.ip:]) != 0 {
		return "wrong IP checksum"
	}
	arrow := ">"
	if s.src.Port() == server.Port() {
		arrow = "<"
	}
	out := arrow + " "
	for n, letter := range flagLetters {
		if s.flags&(1<<n) != 0 {
			out += string(letter)
		}
	}
	out += fmt.Sprintf(" %d", s.seq)
	if s.has(flagACK) {
		out += fmt.Sprintf(" ack %d", s.ack)
	}
	if s.window != 1000 {
		out += fmt.Sprintf(" win %d", s.window)
	}
	eachOption(s.options, func(o []byte) { out += describeOption(o) })
	if len(s.payload) > 0 {
		out += fmt.Sprintf(" %q", s.payload)
	}
	return out
}

func describeOption(o []byte) string {
	switch {
	case o[0] == kindNOP:
		return ""
	case o[0] == kindMPTCP:
		return fmt.Sprintf(" mptcp%d", o[2]>>4)
	case o[0] == kindSACK:
		s := " sack"
		for n := 2; n+4 <= len(o); n += 4 {
			s += fmt.Sprintf(" %d", binary.BigEndian.Uint32(o[n:]))
		}
		return s
	case o[0] == kindTimestamps:
		return fmt.Sprintf(" ts %d %d", binary.BigEndian.Uint32(o[2:]), binary.BigEndian.Uint32(o[6:]))
	}
	return fmt.Sprintf(" opt%d", o[0])
}
