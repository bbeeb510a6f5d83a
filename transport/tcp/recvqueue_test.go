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
