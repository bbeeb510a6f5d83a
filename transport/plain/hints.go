package plain

import "math"

// hintSpan is over how many acknowledgements the least lag is kept.
const hintSpan = 16

// hints tells from the system's view of TCP what the peer has, while a lost segment of the other direction holds back the
// peer's ACK records: a round trip's worth of them then come late, and what they tell would stand for in flight.
//
// The system's view ends where TCP ends, which may be a box in the middle of the path. There the system is ahead of the
// ACK records by what is beyond the box, always and not only now and then; then nothing is taken from it.
type hints struct {
	reached     uint64 // payload bytes that the peer's system has, as last looked at; 0: not known
	acked       uint64 // by ACK records then
	least, last int    // lag just after ACK records: the least of this span, and of the one before
	n           int    // ACK records of this span
}

func newHints() hints { return hints{least: math.MaxInt, last: math.MaxInt} }

// look takes in how many payload bytes and how many bytes of the stream the socket has taken, how many payload bytes ACK
// records have acknowledged, and how many bytes of the stream the system knows to have arrived (0: not known).
func (h *hints) look(payloads, written, acked, arrived uint64) {
	if arrived == 0 {
		return
	}
	h.reached = payloads - min(payloads, written-min(written, arrived)) // what is out counts as payload, headers too
	if acked == h.acked {
		return
	}
	h.acked = acked
	h.least = min(h.least, h.lag(acked))
	if h.n++; h.n == hintSpan {
		h.n, h.last, h.least = 0, h.least, math.MaxInt
	}
}

// lag is by how many payload bytes the system is ahead of the ACK records.
func (h *hints) lag(acked uint64) int { return int(h.reached - min(h.reached, acked)) }

// direct says that TCP ends at the peer, as far as ACK records show; every is after how many bytes the peer sends one.
func (h *hints) direct(every int) bool { return min(h.least, h.last) <= every }

// missing is how many payload bytes have arrived whose ACK records are overdue. One may be a record later than every
// says, for a record is read as a whole.
func (h *hints) missing(acked uint64, every int) int {
	if !h.direct(every) {
		return 0
	}
	return max(0, h.lag(acked)-2*every)
}
