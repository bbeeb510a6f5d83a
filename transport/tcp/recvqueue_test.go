package tcp

import (
	"fmt"
	"testing"

	"hawser/transport/wire"
)

// A reader that always leaves something, as one does that keeps up with a stream, does not make the list of runs grow, and
// gets everything in order.
func TestTheReadyQueueDoesNotGrowWithTheStream(t *testing.T) {
	s := established(t, nil)
	at, read := 1, 0
	give := func() {
		owner := &holds{1}
		b := fmt.Appendf(make([]byte, 0, minKept), "%0*d", minKept, at) // large enough to be kept as they came
		seg := wire.Segment{Src: serverAddr, Dst: clientAddr, Flags: wire.ACK, Seq: peerISN.Add(at), Ack: s.m.iss.Add(1), Window: 1000,
			Data: [][]byte{b}, Len: len(b), Owner: owner, Pinned: len(b)}
		if err := s.m.Receive(s.now, &seg); err != nil {
			t.Fatal(err)
		}
		owner.Release()
		at += len(b)
		s.emit()
	}
	for range 100 {
		give()
	}
	for range 20_000 {
		give()
		r, ok := s.m.Next(s.now)
		if want := fmt.Sprintf("%0*d", minKept, 1+read); !ok || string(r.B) != want || r.Offset != int64(read) {
			t.Fatalf("%q at %d, want %q", r.B, r.Offset, want)
		}
		read += len(r.B)
		r.Release()
		s.m.Poll()
	}
	if n := cap(s.m.in.ready.runs); n > 1000 {
		t.Errorf("room for %d runs, of which 100 wait", n)
	}
}

// RFC 9293 §3.10.7.4: after a reset "all segment queues should be flushed", and their memory is given back; after an orderly
// end what has come stays to be read.
func TestAResetDropsWhatWasNotRead(t *testing.T) {
	for _, orderly := range []bool{false, true} {
		s := settled(t, nil)
		owner := &holds{1}
		at := int(s.m.in.nxt)
		b := make([]byte, 2000)
		seg := wire.Segment{Src: serverAddr, Dst: clientAddr, Flags: wire.ACK, Seq: peerISN.Add(at), Ack: s.m.iss.Add(1), Window: 1000,
			Data: [][]byte{b}, Len: len(b), Owner: owner, Pinned: len(b)}
		s.m.Receive(s.now, &seg)
		owner.Release()
		if orderly {
			s.give(fin, at+2000, 1, "")
			s.m.CloseWrite()
			s.emit()
			s.give(ack, at+2001, 2, "")
		} else {
			s.give(wire.RST, at+2000, 1, "")
		}
		s.wantState(Closed)
		want := 0
		if orderly {
			want = 1
		}
		if s.m.Readable() != want*2000 || owner.n != want {
			t.Errorf("orderly %v: %d bytes to be read, %d holds", orderly, s.m.Readable(), owner.n)
		}
	}
}

// The same bound as in TestHolesAreBounded holds for bytes that are copied out of their buffers.
func TestCopiedHolesAreBounded(t *testing.T) {
	s := settled(t, func(c *Config) { c.ReceiveBuffer = 1 << 20 })
	for i := range 2 * maxPieces {
		owner := &holds{1}
		seg := wire.Segment{Src: serverAddr, Dst: clientAddr, Flags: wire.ACK, Seq: peerISN.Add(int(s.m.in.nxt) + 1 + 2*i), Ack: s.m.iss.Add(1),
			Window: 1000, Data: [][]byte{{'x'}}, Len: 1, Owner: owner, Pinned: 2048}
		s.m.Receive(s.now, &seg)
		if owner.n != 1 {
			t.Fatal("one byte keeps its buffer")
		}
	}
	if n := len(s.m.in.pieces); n != maxPieces {
		t.Errorf("%d pieces, want %d", n, maxPieces)
	}
}
