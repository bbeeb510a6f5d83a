package tcp

import (
	"testing"

	"hawser/transport/wire"
)

// What waits behind a closed window in thousands of little blocks leaves in segments that name no more than
// wire.MaxPieces of them, in whole packets, and all of it comes.
func TestSegmentsHaveABoundedNumberOfPieces(t *testing.T) {
	const blocks, size = 3000, 7
	s := established(t, nil)
	s.cc.fixed = 1 << 20
	s.win = 0
	s.give(ack, 1, 1, "")
	for range blocks {
		s.append(size)
	}
	s.emit()
	s.win = 0xffff
	s.give(ack, 1, 1, "")
	s.emit()
	total := 0
	for i := range s.out {
		o, n := &s.out[i], 0
		for _, b := range o.Data {
			n += len(b)
		}
		if len(o.Data) > wire.MaxPieces || n != o.Len {
			t.Fatalf("%d bytes in %d pieces of %d bytes", o.Len, len(o.Data), n)
		}
		if last := i == len(s.out)-1; !last && o.Len%s.m.mtu.mss != 0 {
			t.Errorf("segment %d has %d bytes: no whole packets", i, o.Len)
		}
		total += n
	}
	if total != blocks*size {
		t.Errorf("%d of %d bytes have left", total, blocks*size)
	}
}

// Where even one packet has more pieces than that, it is shorter; a retransmission and a tail loss probe, too.
func TestOneByteBlocksLeave(t *testing.T) {
	const blocks = 3000
	s := established(t, nil)
	s.cc.fixed = 1 << 20
	for range blocks {
		s.append(1)
	}
	s.emit()
	if n := int(s.m.nxt) - 1; n != blocks {
		t.Fatalf("%d of %d bytes have left", n, blocks)
	}
	for range 8 {
		for i := range s.out {
			if n := len(s.out[i].Data); n > wire.MaxPieces || n != s.out[i].Len {
				t.Fatalf("%d bytes in %d pieces", s.out[i].Len, n)
			}
		}
		s.expire()
		s.emit()
	}
	if s.m.stats.Retransmissions < 5 || s.m.stats.Probes == 0 {
		t.Errorf("%d retransmissions, %d probes: nothing was tested", s.m.stats.Retransmissions, s.m.stats.Probes)
	}
}

// holds counts the holds of a buffer.
type holds struct{ n int }

func (h *holds) Retain()  { h.n++ }
func (h *holds) Release() { h.n-- }

// Blocks that follow each other in one buffer become one; those of another buffer, with a gap, or with a mapping do not.
func TestAdjacentBlocksAreJoined(t *testing.T) {
	s := established(t, nil)
	q := &s.m.queue
	s.win = 0
	s.give(ack, 1, 1, "")
	buf, owner := []byte("0123456789abcdef"), &holds{}
	add := func(from, to, want int) {
		t.Helper()
		owner.Retain()
		s.m.Append(buf[from:to], owner)
		if len(q.blocks) != want || owner.n != want {
			t.Errorf("after [%d,%d): %d blocks, %d holds, want %d of both", from, to, len(q.blocks), owner.n, want)
		}
	}
	add(0, 1, 1)
	add(1, 5, 1)
	add(6, 7, 2) // a gap
	add(7, 9, 2)
	add(3, 4, 3) // back
	s.m.Append(append([]byte(nil), buf[4]), &holds{1})
	if len(q.blocks) != 4 {
		t.Errorf("%d blocks: other memory was joined", len(q.blocks))
	}
	other := &holds{1}
	s.m.Append(buf[9:10], other)
	s.m.Append(buf[10:11], owner)
	if len(q.blocks) != 6 || other.n != 1 {
		t.Errorf("%d blocks: another owner's was joined", len(q.blocks))
	}
	owner.Retain() // of buf[10:11]
	owner.Retain()
	s.m.AppendMapped(buf[11:12], owner, wire.Mapping{})
	owner.Retain()
	s.m.AppendMapped(buf[12:13], owner, wire.Mapping{})
	if len(q.blocks) != 8 {
		t.Errorf("%d blocks: mappings were joined", len(q.blocks))
	}
	s.win = 100
	s.give(ack, 1, 1, "")
	s.emit()
	got := ""
	for i := range s.out {
		for _, b := range s.out[i].Data {
			got += string(b)
		}
	}
	if want := "012346783" + "4" + "9abc"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	s.give(ack, 1, 1+len(got), "")
	if owner.n != 0 || other.n != 0 {
		t.Errorf("%d and %d holds are left", owner.n, other.n)
	}
}

// What left as many small segments and was lost comes again in full packets, the FIN with the last.
func TestSmallLossesAreRepairedInFullPackets(t *testing.T) {
	s := established(t, nil)
	s.cc.fixed, s.cc.owns = 100_000, true
	s.append(1000)
	s.emit()
	for range 2500 {
		s.append(1)
		s.emit()
	}
	s.append(3000)
	s.emit()
	s.pass(rtt10)
	before := s.m.stats.Retransmissions
	s.give(ack, 1, 1001, "", s.sack(3501, 6501))
	s.emit()
	if n := s.m.stats.Retransmissions - before; n > 12 || s.m.board.lost != 0 {
		t.Errorf("%d packets for 2500 bytes in blocks of one; %d bytes are left", n, s.m.board.lost)
	}
	checkBoard(s.m, t.Fatalf)
	s.pass(rtt10)
	s.give(ack, 1, 6501, "")
	if !s.m.board.empty() {
		t.Error("something is still outstanding")
	}

	t.Log("# in one buffer")
	s = established(t, nil)
	s.cc.fixed = 100_000
	buf := make([]byte, 4000)
	for i := range 2500 {
		s.m.Append(buf[i:i+1], nil)
		s.emit()
	}
	s.m.CloseWrite()
	s.emit()
	for sp := s.m.board.first(); sp != s.m.board.end(); sp = sp.next {
		s.m.board.set(sp, lost)
	}
	s.emit()
	full, fin := 0, false
	for i := range s.out {
		if s.out[i].Len == 1000 {
			full++
		}
		fin = fin || s.out[i].Flags.Has(wire.FIN)
	}
	checkBoard(s.m, t.Fatalf)
	if full != 2 || !fin || len(s.out) != 3 {
		t.Errorf("%d segments, %d of them full, FIN %v", len(s.out), full, fin)
	}
}
