package tcp

import (
	"encoding/binary"
	"testing"
	"time"

	"hawser/transport/wire"
)

// stateWorlds brings a machine into each state, with data in both directions under way.
func stateWorlds(t testing.TB) map[State]*world {
	worlds := map[State]*world{}
	until := func(want State, h func(*world) *host, tune func(*world)) {
		w := newWorld(t, 7, path{delay: 5 * time.Millisecond, rate: 1_000_000}, nil)
		w.a.send, w.b.send = 60_000, 60_000
		tune(w)
		end := w.now.Add(time.Minute)
		w.turn(w.a)
		for h(w).m == nil || h(w).m.State() != want {
			if !w.step(end) {
				t.Fatalf("%v was not reached", want)
			}
		}
		if h(w) == w.b { // the fuzzed one is a
			w.a, w.b = w.b, w.a
		}
		worlds[want] = w
	}
	a, b := func(w *world) *host { return w.a }, func(w *world) *host { return w.b }
	until(SynSent, a, func(*world) {})
	until(Established, b, func(*world) {})
	until(FinWait1, a, func(w *world) { w.a.send = 20_000 })
	until(FinWait2, a, func(w *world) { w.a.send = 0 })
	until(CloseWait, b, func(w *world) { w.a.send = 0 })
	until(LastAck, b, func(w *world) {
		w.a.send, w.b.send = 0, 20_000
		w.b.link.eat = func(s *wire.Segment) bool { return s.Flags.Has(wire.FIN) }
	})
	until(SynReceived, a, func(w *world) { // a simultaneous open: the peer's SYN crosses ours
		w.b.link.eat = func(*wire.Segment) bool { return true }
		w.turn(w.a)
		s := wire.Segment{Src: serverAddr, Dst: clientAddr, Flags: wire.SYN, Seq: 4_000_000_000, Window: 5000}
		s.Options = wire.TCPOptions{MSS: 1400, SACKPermitted: true, HasWindowScale: true, WindowScale: 7, HasTimestamps: true, TSVal: 5}
		w.a.m.Receive(w.now, &s)
	})
	until(Closing, a, func(w *world) { // both close, and only the peer's FIN comes through
		w.a.send, w.b.send = 0, 20_000
		w.a.link.eat = func(s *wire.Segment) bool { return s.Flags.Has(wire.FIN) }
	})
	until(TimeWait, a, func(w *world) { w.a.send, w.b.send = 0, 100 })
	for state := SynSent; state <= TimeWait; state++ {
		if worlds[state] == nil {
			t.Fatalf("nothing is brought into %v", state)
		}
	}
	return worlds
}

// hostile makes a segment of 16 bytes: flags, options, and numbers near those that count.
func hostile(m *Machine, b []byte) wire.Segment {
	s := wire.Segment{Src: m.cfg.Remote, Dst: m.cfg.Local, Flags: wire.Flags(b[0]), ECN: wire.ECN(b[1] & 3)}
	near := func(base wire.Seq, v uint16) wire.Seq {
		if v&1 == 0 {
			return base.Add(int(int16(v)))
		}
		return base.Add(int(int16(v)) << 16)
	}
	s.Seq = near(m.recvSeq(m.in.nxt), binary.BigEndian.Uint16(b[2:]))
	s.Ack = near(m.sendSeq(m.nxt), binary.BigEndian.Uint16(b[4:]))
	s.Window = binary.BigEndian.Uint16(b[6:])
	s.Urgent = uint16(b[8])
	if n := int(b[9]) * int(1+b[1]>>4); n > 0 {
		s.Data, s.Len = [][]byte{make([]byte, n)}, n
	}
	if b[10]&1 != 0 {
		s.Options.HasTimestamps, s.Options.TSVal, s.Options.TSEcr = true, m.ts.recent+uint32(int8(b[11])), m.tsNow()-uint32(b[12])
	}
	for i := range int(b[10] >> 5 & 3) {
		start := near(m.sendSeq(m.una), binary.BigEndian.Uint16(b[12+i:]))
		s.Options.AddSACK(wire.SACKBlock{Start: start, End: start.Add(int(b[15]) << (b[10] >> 1 & 15))})
	}
	if b[10]&2 != 0 {
		s.Options.MSS, s.Options.HasWindowScale, s.Options.WindowScale = uint16(b[11]), true, b[12]
	}
	return s
}

// FuzzMachine gives hostile segments to a machine in each state, by sequences of 16 bytes: it never panics, keeps its
// invariants, answers each with a bounded number of segments, keeps no more memory than its window, and holds none
// once it is closed.
func FuzzMachine(f *testing.F) {
	f.Add(make([]byte, 64))
	f.Add([]byte("\x10\x00\x00\x02\x00\x00\xff\xff\x00\x80\x21\x00\x01\x02\x03\xff\x10\x00\x00\x00\xff\xfe\x00\x00\x00\x00\x61\x00\x01\x02\x03\x40"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for state, w := range stateWorlds(t) {
			w.t = t
			attack(t, state, w, b)
		}
	})
}

// attack gives b to the machine of w.a, segment by segment.
func attack(t *testing.T, state State, w *world, b []byte) {
	h := w.a
	h.reads, h.send = 1, h.put // somebody who hardly reads
	w.b, w.packets = &host{w: w, name: "nobody", events: map[EventKind]int{}}, nil
	h.paused = true
	for ; len(b) >= 16; b = b[16:] {
		s := hostile(h.m, b)
		mem := w.memory()
		s.Owner, s.Pinned = mem, 2048
		h.m.Receive(w.now, &s)
		mem.Release()
		w.invariants(h)
		w.now = w.now.Add(time.Duration(b[14]) * time.Millisecond)
		h.m.Advance(w.now)
		var out wire.Segment
		n := 0
		for ; h.m.Emit(w.now, &out); n++ {
			if n > 500 {
				t.Fatalf("%v: one segment caused more than 500: %v", state, &out)
			}
		}
		w.invariants(h)
		if held := h.m.in.unread; held > h.m.cfg.MaxReceiveBuffer {
			t.Fatalf("%v: holds %d bytes", state, held)
		}
	}
	h.m.Abort(nil)
	for r, ok := h.m.Next(w.now); ok; r, ok = h.m.Next(w.now) {
		r.Release()
	}
	if len(h.m.queue.blocks) > 0 || len(h.m.in.pieces) > 0 || h.m.in.unread > 0 || !h.m.board.empty() {
		t.Fatalf("%v: memory is held after the end", state)
	}
}

// FuzzPair lets a seed draw a path (see badWorld): the streams arrive whole.
func FuzzPair(f *testing.F) {
	f.Add(int64(1))
	f.Add(int64(498)) // a path of 508 bytes, and packets with SACK blocks
	f.Fuzz(func(t *testing.T, seed int64) {
		w := badWorld(t, seed)
		w.run(60 * time.Minute)
		w.wantWhole()
	})
}

// FuzzListener gives hostile segments to a listener: what it keeps is bounded, and a guessed cookie opens nothing.
func FuzzListener(f *testing.F) {
	f.Add(make([]byte, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newWorld(t, 1, path{}, nil)
		l := w.b.l
		for ; len(b) >= 16; b = b[16:] {
			s := hostile(w.a.m, b)
			s.Src, s.Dst = clientAddr, serverAddr
			l.Receive(w.now, &s)
			w.now = w.now.Add(time.Duration(b[14]) * time.Millisecond)
			l.Advance(w.now)
			if b[13]&1 == 0 {
				var out wire.Segment
				for l.Emit(w.now, &out) {
				}
			}
			if len(l.replies) > maxReplies || l.HalfOpen() > defaultPerSource {
				t.Fatalf("%d replies, %d half-open", len(l.replies), l.HalfOpen())
			}
			if _, ok := l.Accept(); ok {
				t.Fatal("a handshake was completed by chance")
			}
		}
	})
}
