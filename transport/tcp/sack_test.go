package tcp

import (
	"testing"
	"time"
)

// RFC 2018 §3 makes SACK advice. A peer that reports single bytes of packets, which no honest one has, does not cut the
// scoreboard into bytes, nor what is sent again.
func TestLyingSACKsDoNotCutTheScoreboard(t *testing.T) {
	const size = 100_000
	s := established(t, nil)
	s.cc.fixed, s.cc.owns = 64<<20, true
	s.m.peer.scaled, s.m.peer.scale = true, 14
	s.give(ack, 1, 1, "")
	s.append(size)
	s.emit()
	for off := 2; off+8 < size; off += 8 {
		s.give(ack, 1, 1, "", s.sack(off, off+1, off+2, off+3, off+4, off+5, off+6, off+7))
	}
	if n := s.m.board.count; n > size/1000 || s.m.board.sacked != 0 {
		t.Errorf("%d spans for %d packets, %d bytes count as received", n, size/1000, s.m.board.sacked)
	}
	t.Log("# every other packet is what an honest one may have")
	for off := 1001; off+6000 < size; off += 6000 {
		s.give(ack, 1, 1, "", s.sack(off, off+1000, off+2000, off+3000, off+4000, off+5000))
	}
	s.pass(time.Second)
	s.give(ack, 1, 1, "", s.sack(99_001, 100_001))
	s.emit()
	for i := range s.out {
		if s.out[i].Len%1000 != 0 {
			t.Errorf("%d bytes are sent again: no whole packets", s.out[i].Len)
		}
	}
	if n := s.m.board.count; n > size/1000+1 || s.m.board.sacked < size/3 {
		t.Errorf("%d spans, %d bytes count as received", n, s.m.board.sacked)
	}
	checkBoard(s.m, t.Fatalf)
}

// Blocks are rounded inwards to the packets of a span, also when a part of one was acknowledged, as after something on the
// path that cuts packets.
func TestSACKsAreRoundedToPackets(t *testing.T) {
	for _, c := range []struct{ una, from, to, want int }{
		{1, 1001, 3001, 2000},
		{1, 1001, 2501, 1000},
		{1, 1501, 3001, 1000},
		{1, 1501, 2501, 0},
		{1, 1002, 2001, 0},
		{1, 8001, 9501, 1500}, // to the end
		{1501, 2001, 4001, 2000},
		{1501, 1601, 4001, 2000},
		{2001, 4001, 9502, 5501}, // with the FIN
		{2001, 4001, 9501, 5500}, // without
	} {
		s := established(t, nil)
		s.append(9500)
		s.m.CloseWrite()
		s.emit()
		s.give(ack, 1, c.una, "", s.sack(c.from, c.to))
		if got := s.m.board.sacked; got != c.want {
			t.Errorf("from %d on, SACK [%d,%d): %d bytes count as received, want %d", c.una, c.from, c.to, got, c.want)
		}
		checkBoard(s.m, t.Fatalf)
	}
}

// The scoreboard is bounded: by what SACKs may cut of it and by what is sent. Everything arrives nevertheless.
func TestTheScoreboardIsBounded(t *testing.T) {
	s := established(t, nil)
	s.cc.fixed, s.cc.owns = 1<<30, true
	s.m.peer.scaled, s.m.peer.scale = true, 14
	s.give(ack, 1, 1, "")
	const packets = 3 * maxSpans
	s.append(packets * 1000)
	s.emit()
	if len(s.out) > maxSpans/10 {
		t.Fatalf("%d spans from the start", len(s.out))
	}
	for i := 1; i < packets; i += 6 {
		off := i*1000 + 1
		s.give(ack, 1, 1, "", s.sack(off, off+1000, off+2000, off+3000, off+4000, off+5000))
	}
	if n := s.m.board.count; n > maxSpans || n < maxSpans-2 {
		t.Errorf("%d spans, the bound is %d", n, maxSpans)
	}
	checkBoard(s.m, t.Fatalf)
	s.give(ack, 1, packets*1000+1, "")
	if !s.m.board.empty() {
		t.Error("something is outstanding")
	}

	t.Log("# written byte by byte")
	for range maxSpans + 100 {
		s.append(1)
		s.emit()
	}
	if n := s.m.board.count; n != maxSpans || s.m.Unsent() != 100 {
		t.Errorf("%d spans, %d bytes wait", n, s.m.Unsent())
	}
	s.give(ack, 1, packets*1000+2, "")
	s.emit()
	if n := s.m.board.count; n != maxSpans || s.m.Unsent() == 100 {
		t.Errorf("an acknowledgement later: %d spans, %d bytes wait", n, s.m.Unsent())
	}
}

// A lost span is found without a search through what lies before it, and a spurious episode is taken back whole.
func TestLostSpansAreFoundAtOnce(t *testing.T) {
	s := established(t, nil)
	s.cc.fixed, s.cc.owns = 1<<30, true
	s.m.peer.scaled, s.m.peer.scale = true, 14
	s.give(ack, 1, 1, "")
	for range maxSpans {
		s.append(1)
		s.emit()
	}
	b := &s.m.board
	for round := range 2 {
		for sp := b.first(); sp != b.end(); sp = sp.next {
			b.set(sp, lost)
		}
		if round == 0 {
			s.m.spurious()
			checkBoard(s.m, t.Fatalf)
			if b.lost != 0 || b.flight.newer != b.first() || b.flight.older != b.last() {
				t.Errorf("%d bytes are lost after all", b.lost)
			}
		}
	}
	for i := 0; b.lost > 0; i++ {
		first := b.first()
		next := first.next
		if i > 1 {
			first.next = nil // whoever searches from the front falls over it
		}
		sp := b.firstLost()
		first.next = next
		if sp.start != int64(1+i) {
			t.Fatalf("%d is said to be the first lost, want %d", sp.start, 1+i)
		}
		b.set(sp, inFlight)
		b.launch(sp)
	}
	checkBoard(s.m, t.Fatalf)
}
