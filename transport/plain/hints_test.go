package plain

import "testing"

const every = ackEveryMin

// transfer tells h of n ACK records, each for 16 kB, whose peer's system is ahead of them by lag bytes. It returns what is
// acknowledged and what has arrived.
func transfer(h *hints, from uint64, n, lag int) (acked, arrived uint64) {
	for acked = from; n > 0; n-- {
		acked += every
		arrived = acked + uint64(lag)
		h.look(arrived+100_000, arrived+100_000, acked, arrived)
	}
	return acked, arrived
}

func TestWhatArrivesWhileAckRecordsAreHeldUpIsMissing(t *testing.T) {
	h := newHints()
	acked, arrived := transfer(&h, 0, 20, 3000)
	if n := h.missing(acked, every); n != 0 {
		t.Errorf("%d bytes are missing while every ACK record comes", n)
	}
	arrived += 100_000 // and no ACK record
	h.look(arrived+50_000, arrived+50_000, acked, arrived)
	if n := h.missing(acked, every); n != 103_000-2*every {
		t.Errorf("%d bytes are missing, want %d", n, 103_000-2*every)
	}
	if n := h.missing(arrived, every); n != 0 {
		t.Errorf("%d bytes are missing when the ACK records have come", n)
	}
}

func TestNothingIsTakenFromABoxInTheMiddle(t *testing.T) {
	h := newHints()
	acked, _ := transfer(&h, 0, 20, 3000) // little is under way beyond the box yet
	acked, arrived := transfer(&h, acked, 2*hintSpan, 60_000)
	arrived += 100_000
	h.look(arrived+50_000, arrived+50_000, acked, arrived)
	if n := h.missing(acked, every); n != 0 {
		t.Errorf("%d bytes are taken for arrived that a box has", n)
	}
}

func TestSystemThatTellsNothingGivesNoHints(t *testing.T) {
	h := newHints()
	for acked := uint64(every); acked < 100*every; acked += every {
		h.look(acked+200_000, acked+200_000, acked, 0)
		if n := h.missing(acked, every); n != 0 {
			t.Fatalf("%d bytes are missing", n)
		}
	}
}
