package tcp

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"hawser/transport/wire"
)

// sponge is a machine whose peer wants it to keep as much memory as possible.
type sponge struct {
	w     *world
	m     *Machine
	empty uint64 // bytes of heap before anything came
	live  int
	bytes []byte // payload of all segments: its memory counts as that of their buffers
}

func newSponge(t *testing.T, window int) *sponge {
	w := newWorld(t, 5, path{delay: time.Millisecond}, func(_, b *Config) { b.ReceiveBuffer, b.MaxReceiveBuffer = window, window })
	w.a.send, w.a.window, w.b.send = 1, 0, 1<<40 // neither closes
	w.b.paused = true
	w.until("connected", time.Second, func() bool { return w.b.m != nil })
	s := &sponge{w: w, m: w.b.m, bytes: make([]byte, maxSuper)}
	var out wire.Segment
	s.m.Acknowledge()
	for s.m.Emit(w.now, &out) { // the whole window is told
	}
	s.empty, s.live = heap(), w.live
	return s
}

// heap is how many bytes of it are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what pools hold goes with the second
	var st runtime.MemStats
	runtime.ReadMemStats(&st)
	return st.HeapAlloc
}

// give hands over n bytes at off, counted from what is next in order, in a buffer of pinned bytes.
func (s *sponge) give(off, n, pinned int) {
	mem := s.w.memory()
	s.w.pin = pinned
	seg := wire.Segment{Src: clientAddr, Dst: serverAddr, Flags: wire.ACK, Seq: s.m.recvSeq(s.m.in.nxt).Add(off), Ack: s.m.sendSeq(s.m.una),
		Window: 100, Data: [][]byte{s.bytes[:n]}, Len: n, Owner: mem, Pinned: pinned}
	seg.Options.HasTimestamps, seg.Options.TSVal = true, s.m.ts.recent
	s.m.Receive(s.w.now, &seg)
	mem.Release()
}

// kept is how many bytes wait, in order and out of order.
func kept(m *Machine) int {
	n := m.in.unread
	for i := range m.in.pieces {
		n += len(m.in.pieces[i].b)
	}
	return n
}

// What a peer can make this end keep is bounded by what is taken from the budget for its window, whatever its segments
// are like: measured in buffers and bytes of heap.
func TestMemoryIsBoundedByTheWindow(t *testing.T) {
	const window, pinned = 64 << 10, 2304
	for name, attack := range map[string]func(*sponge){
		"every other byte": func(s *sponge) {
			for i := range window / 2 {
				s.give(1+2*i, 1, pinned)
			}
		},
		"every other byte, the last first": func(s *sponge) {
			for i := window/2 - 1; i >= 0; i-- {
				s.give(1+2*i, 1, pinned)
			}
		},
		"a quarter of each buffer, in order": func(s *sponge) {
			for range window / 577 {
				s.give(0, 577, pinned)
			}
		},
		"a quarter of each buffer, out of order": func(s *sponge) {
			for i := range window / 577 {
				s.give(1+577*i, 577, pinned)
			}
		},
		"a quarter of large buffers, out of order, and then single bytes": func(s *sponge) {
			for i := range window / 2 / 17000 {
				s.give(1+17001*i, 17000, 66<<10)
			}
			for i := range window / 4 {
				s.give(window/2+2*i, 1, pinned)
			}
		},
		"full segments, to a reader that has stopped": func(s *sponge) {
			for range window / 1448 {
				s.give(0, 1448, pinned)
			}
		},
		"out of order all that the window takes, and then the rest of it in order": func(s *sponge) {
			for i := range window / 2 / 10 {
				s.give(window/2+10*i, 5, pinned)
			}
			for range window / 2 / 300 {
				s.give(0, 300, pinned)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSponge(t, window)
			attack(s)
			held := int(heap()) - int(s.empty) + (s.w.live-s.live)*s.w.pin
			// The heap knows nothing of what the machine counts: sizes of its classes, its own lists, the race detector's
			// part. Without a bound it is 230 kB.
			if most := charge(window) + chunkLen + s.w.pin + 80_000; held > most {
				t.Errorf("%d bytes are held for a window of %d, want at most %d", held, window, most)
			}
			if n := kept(s.m); n < window/2 && len(s.m.in.pieces) < 1000 {
				t.Errorf("only %d bytes in %d pieces were kept", n, len(s.m.in.pieces))
			}
			s.w.invariants(s.w.b)
			runtime.KeepAlive(s)
		})
	}
}

// What does not fit is dropped from the end, and is not said to be there any more: "all SACK blocks MUST NOT report any
// old data which is no longer actually held by the receiver" (RFC 2018 §8). Data in order is taken all the same, and what
// was dropped is taken when it comes again.
func TestWhatWasDroppedForWantOfMemoryComesAgain(t *testing.T) {
	const window = 64 << 10
	s := settled(t, func(c *Config) { c.ReceiveBuffer, c.MaxReceiveBuffer = window, window })
	const half = window / 2
	s.m.Acknowledge()
	s.emit()
	kept := 0
	for ; kept < half/4; kept++ { // four bytes cost more than sixty
		before := len(s.m.in.pieces)
		s.give(ack, half+4*kept, 1, "x")
		if len(s.m.in.pieces) == before {
			break
		}
	}
	s.emit()
	if o := s.out[len(s.out)-1].Options; o.NumSACK != 0 && o.SACK[0].Start == peerISN.Add(half+4*kept) || kept == half/4 {
		t.Fatalf("%d pieces are kept, the last is reported as %v", kept, o)
	}
	discarded := s.m.stats.Discarded
	const more = half / 1000 * 1000
	for at := 0; at < more; at += 1000 {
		s.give(ack, 1+at, 1, strings.Repeat("y", 1000))
	}
	left := len(s.m.in.pieces)
	if left == kept || s.m.stats.Discarded == discarded {
		t.Fatalf("all %d pieces are still there", left)
	}
	s.emit()
	for _, a := range s.out {
		for _, b := range a.Options.SACK[:a.Options.NumSACK] {
			if i := (b.Start.Diff(peerISN) - half) / 4; i >= left {
				t.Errorf("piece %d of %d is still reported", i, left)
			}
		}
	}
	s.wantRead(strings.Repeat("y", more))
	s.give(ack, half+4*(kept-1), 1, "x")
	if len(s.m.in.pieces) != left+1 {
		t.Error("what was dropped is not taken again")
	}
}

// Copies are exact, joined and in order: segments of all sizes in buffers of all sizes, in any order, to a reader who
// falls behind, come out as they went in.
func TestCopiedBytesAreTheRightOnes(t *testing.T) {
	for seed := range int64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed, path{delay: 20 * time.Millisecond, rate: 2_000_000, reorder: 0.2, held: 20 * time.Millisecond, loss: 0.02, split: true}, func(a, b *Config) {
				a.MTU = []int{300, 700, 1500, 9000}[seed%4]
				b.ReceiveBuffer, b.MaxReceiveBuffer = 50_000, 200_000
			})
			w.pin = []int{256, 2304, 10_000, 67_000}[seed/4%4]
			w.a.send, w.b.reads = 300_000, 2000+int(seed)*500
			w.run(30 * time.Minute)
			w.wantWhole()
		})
	}
}
