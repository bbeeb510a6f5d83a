package middlebox

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"hawser/test/netlab"
)

// handshake is what a client of MPTCP sends on its two subflows, and on the first one data.
func handshake() []segment {
	return []segment{
		ahead("S", 99, 0, "", optMSS, optPermit, optCapable),
		ahead("SA", 99, 7, "", optMSS, optCapable),
		ahead("S", 99, 0, "", optMSS, optJoin),
		ahead("A", 100, 7, "", optTime, optJoin),
		ahead("A", 100, 7, "", optTime, optDSS),
		ahead("PA", 100, 7, "hello", optTime, optDSS),
	}
}

func TestStripRemovesOptionsWhereItIsTold(t *testing.T) {
	whole := []string{
		"> S 99 opt2 opt4 mptcp0", "> SA 99 ack 7 opt2 mptcp0", "> S 99 opt2 mptcp1",
		"> A 100 ack 7 ts 7 9 mptcp1", "> A 100 ack 7 ts 7 9 mptcp2", `> PA 100 ack 7 ts 7 9 mptcp2 "hello"`,
	}
	bare := []string{
		"> S 99 opt2 opt4", "> SA 99 ack 7 opt2", "> S 99 opt2",
		"> A 100 ack 7 ts 7 9", "> A 100 ack 7 ts 7 9", `> PA 100 ack 7 ts 7 9 "hello"`,
	}
	for _, tt := range []struct {
		name string
		on   Segments
		bare []int // which of the segments lose their options
	}{
		{"nowhere", 0, nil},
		{"on SYN", OnSYN, []int{0, 2}},
		{"on SYN/ACK", OnSYNACK, []int{1}},
		{"on joins", OnJoin, []int{2, 3}},
		{"on data", OnData, []int{5}},
		{"on the rest", OnOther, []int{3, 4}},
		{"everywhere", Everywhere, []int{0, 1, 2, 3, 4, 5}},
	} {
		for _, v6 := range []bool{false, true} {
			for _, blank := range []bool{false, true} {
				b, strip := newBench(t), &Strip{On: tt.on, Blank: blank}
				b.v6 = v6
				want := slices.Clone(whole)
				for _, n := range tt.bare {
					want[n] = bare[n]
				}
				size, got := 0, 0
				for _, s := range handshake() {
					size += len(b.frame(s))
					b.pass(strip, s)
				}
				for _, f := range b.raw {
					got += len(f)
				}
				if (got == size) != (blank || len(tt.bare) == 0) {
					t.Errorf("%s, blank %v: %d bytes became %d", tt.name, blank, size, got)
				}
				b.want(tt.name, want, nil)
				if strip.Acted() != int64(len(tt.bare)) {
					t.Errorf("%s: acted %d times, want %d", tt.name, strip.Acted(), len(tt.bare))
				}
			}
		}
	}
}

func TestDropUnknownOptionsKeepsThoseOfThe1990s(t *testing.T) {
	b, d := newBench(t), &DropUnknownOptions{}
	b.pass(d, ahead("S", 99, 0, "", optMSS, optPermit, optTime, optScale, optFast, optCapable))
	b.pass(d, ahead("A", 100, 7, "x", optSACK(1, 2), optDSS))
	b.pass(d, ahead("A", 101, 7, "y", optTime))
	b.want("options", []string{
		"> S 99 opt2 opt4 ts 7 9 opt3", `> A 100 ack 7 sack 1 2 "x"`, `> A 101 ack 7 ts 7 9 "y"`,
	}, nil)
	if d.Acted() != 2 {
		t.Errorf("acted on %d segments, want 2", d.Acted())
	}
}

// stages are one of every kind, for tests of what they have in common.
func stages() map[string]netlab.Stage {
	boxes := map[string]Box{
		"sequence": RewriteSequence(1), "payload": RewritePayload("ab", "xyz"), "acknowledge": &AckAhead{},
		"reset": &Resetter{To: BothEnds, After: 1}, "idle": &IdleTimeout{After: time.Second, Refuse: true},
	}
	all := map[string]netlab.Stage{
		"strip": &Strip{On: Everywhere}, "unknown": &DropUnknownOptions{}, "split": &Split{Size: 2},
		"coalesce": &Coalesce{Size: 100}, "duplicate": &Duplicate{}, "reorder": &Reorder{},
	}
	for name, b := range boxes {
		all[name+" ahead"], all[name+" back"] = b.Ahead(), b.Back()
	}
	return all
}

func TestStagesLeaveAloneWhatTheyDoNotUnderstand(t *testing.T) {
	b := newBench(t)
	good := b.frame(ahead("PA", 100, 7, "hello ab", optTime, optDSS))
	change := func(f func(frame []byte) []byte) []byte { return f(bytes.Clone(good)) }
	frames := map[string][]byte{
		"empty":               {},
		"ARP":                 change(func(f []byte) []byte { f[12], f[13] = 8, 6; return f }),
		"UDP":                 change(func(f []byte) []byte { f[etherHeader+9] = 17; return f }),
		"a fragment":          change(func(f []byte) []byte { f[etherHeader+6] = 0x20; return f }),
		"a later fragment":    change(func(f []byte) []byte { f[etherHeader+7] = 1; return f }),
		"cut off":             good[:len(good)-1],
		"a wrong checksum":    change(func(f []byte) []byte { f[len(f)-1]++; return f }),
		"a wrong data offset": change(func(f []byte) []byte { f[etherHeader+20+12] = 0xf0; return f }),
		"a short data offset": change(func(f []byte) []byte { f[etherHeader+20+12] = 0x40; return f }),
	}
	for stage, s := range stages() {
		for name, frame := range frames {
			var out echo
			s.Handle(b.now, bytes.Clone(frame), &out)
			if len(out.there) != 1 || !bytes.Equal(out.there[0], frame) || len(out.back) != 0 {
				t.Errorf("%s: a frame that is %s became % x and % x back", stage, name, out.there, out.back)
			}
		}
	}
}

// echo notes frames.
type echo struct{ there, back [][]byte }

func (e *echo) Forward(f []byte) { e.there = append(e.there, bytes.Clone(f)) }
func (e *echo) Return(f []byte)  { e.back = append(e.back, bytes.Clone(f)) }

// FuzzStages hands any frames to all stages: nothing may make them panic, and what they put out of TCP must be right.
func FuzzStages(f *testing.F) {
	b := &bench{now: time.Unix(1, 0)}
	for _, s := range handshake() {
		b.v6 = !b.v6
		f.Add(b.frame(s), b.frame(back("SA", 5, 100, "ab", optScale)))
	}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		for name, stage := range stages() {
			now := time.Unix(1_000_000, 0)
			for _, frame := range [][]byte{one, two, one} {
				mend(frame)
				var out echo
				stage.Handle(now, bytes.Clone(frame), &out)
				now = now.Add(time.Second)
				if timed, ok := stage.(netlab.TimedStage); ok && !timed.Deadline().IsZero() {
					timed.Wake(now, &out)
				}
				_, tcp := dissect(frame)
				for _, g := range append(out.there, out.back...) {
					if _, ok := dissect(g); tcp && !ok {
						t.Fatalf("%s made % x of % x", name, g, frame)
					}
				}
			}
		}
	})
}

// mend gives a frame the right TCP checksum if it has all else, so that the fuzzer gets further.
func mend(frame []byte) {
	for head, addresses := range map[int][2]int{etherHeader + 20: {26, 30}, etherHeader + ipv6Header: {22, 38}} {
		if len(frame) < head+tcpHeader {
			continue
		}
		tcp := frame[head:]
		size := addresses[1] - addresses[0]
		from, _ := netip.AddrFromSlice(frame[addresses[0]:][:size])
		to, _ := netip.AddrFromSlice(frame[addresses[1]:][:size])
		saved := [2]byte(tcp[16:])
		tcp[16], tcp[17] = 0, 0
		binary.BigEndian.PutUint16(tcp[16:], checksum(pseudo(from, to, len(tcp)), tcp))
		if _, ok := dissect(frame); ok {
			return
		}
		copy(tcp[16:], saved[:])
	}
}
