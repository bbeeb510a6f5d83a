package tcp

import "slices"

// What the peer may send is bounded by the window, and what it costs to keep that by 5/4 of the window, which is what is
// taken from the budget: whatever the segments are like, and however they are laid out in the buffers that they came in.
// Beyond it there is at most one packet's buffer, for what finds nothing waiting is never copied, and one chunk.
//
// Payload is kept by reference as long as that bound allows. Then it is copied; if that is not enough, so is what
// wastes much of its buffer; and if bytes out of order cost too much even so, the last of them are dropped, as "the data
// receiver is permitted to discard data in its queue that has not been acknowledged" (RFC 2018 §8).

const (
	// chunkLen is how long runs of copied bytes become, in bytes.
	chunkLen = 32 << 10
	// bookkeeping is what a run or piece costs by itself, in bytes.
	bookkeeping = 64
	// minKept is the least that is kept by reference while something waits before it, in bytes.
	minKept = 1 << 10
)

// charge is the memory that a window of n bytes may cost.
func charge(n int) int { return n + n/4 }

// memory is the bound for what q holds now, in bytes: of the window, or of what the peer was allowed when it was larger.
func (w *receiveWindow) memory(q *receiveQueue) int {
	return charge(max(w.size, q.unread+int(max(0, w.edge-q.nxt)))) + chunkLen
}

// worthKeeping tells whether n bytes should be kept in their buffer: it is within the bound, and they are many, and a
// good part of it.
func (q *receiveQueue) worthKeeping(n, pinned int) bool {
	return n >= minKept && pinned <= 4*n && q.held+pinned+bookkeeping <= q.limit
}

// waste is how much memory a copy would give back of what keeps n bytes now, if that is more than a sixteenth of them.
func waste(n, held int) int {
	if w := held - bookkeeping - n; w > n/16 {
		return w
	}
	return 0
}

// grown is the capacity that a run of copied bytes should have when it grows to n.
func grown(run []byte, n int) int {
	if n <= cap(run) {
		return cap(run)
	}
	return max(n, min(2*cap(run), chunkLen))
}

// exactly is a copy without room to grow.
func exactly(b []byte) []byte { return append(make([]byte, 0, len(b)), b...) }

// extend appends b to a run of copied bytes.
func extend(run, b []byte) []byte {
	if n := len(run) + len(b); n > cap(run) {
		run = append(make([]byte, 0, grown(run, n)), run...)
	}
	return append(run, b...)
}

// count adds n bytes that keep held bytes of memory, or takes them out.
func (q *receiveQueue) count(n, held, sign int) {
	q.held += sign * held
	q.loose += sign * waste(n, held)
}

// fits makes room for n bytes of memory; false: there is none.
func (q *receiveQueue) fits(n int) bool {
	if q.held+n > q.limit {
		q.collapse()
	}
	return q.held+n <= q.limit
}

// collapse copies what wastes much of its buffer, when that gives a good part of the memory back: so each byte is
// copied once, and what it costs to look is shared by many.
func (q *receiveQueue) collapse() {
	if q.loose <= q.limit/32 {
		return
	}
	for i := range q.pieces {
		if p := &q.pieces[i]; waste(len(p.b), p.held) > 0 {
			copied := piece{start: p.start, b: exactly(p.b), held: len(p.b) + bookkeeping}
			q.count(len(p.b), p.held, -1)
			p.release()
			*p = copied
			q.count(len(p.b), p.held, 1)
		}
	}
	q.collapseReady()
}

// collapseReady does it for what is in order, and joins the copies.
func (q *receiveQueue) collapseReady() {
	r := &q.ready
	old := slices.Clone(r.runs[r.head:])
	clear(r.runs)
	r.runs, r.head = r.runs[:0], 0
	nxt, unread := q.nxt, q.unread
	q.nxt -= int64(unread)
	if q.finTaken {
		q.nxt--
	}
	for i := range old {
		run := &old[i]
		q.count(len(run.B), run.held, -1)
		if run.Owner == nil || waste(len(run.B), run.held) > 0 {
			q.pushCopy(run.B)
			run.Release()
		} else {
			q.pushRun(*run)
		}
	}
	q.nxt, q.unread = nxt, unread
}

// fit keeps what was received within the bound. Data in order is never dropped: it fits by itself.
func (m *Machine) fit() {
	q := &m.in
	if q.held <= q.limit {
		return
	}
	q.collapse()
	i := len(q.pieces)
	for held := q.held; i > 0 && held > q.limit; i-- {
		held -= q.pieces[i-1].held
	}
	if i < len(q.pieces) {
		m.ack.retract(q.pieces[i].start)
		for j := i; j < len(q.pieces); j++ {
			m.stats.Discarded += int64(len(q.pieces[j].b))
		}
		q.dropPieces(i)
	}
}
