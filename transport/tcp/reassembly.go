package tcp

import (
	"slices"

	"hawser/transport/wire"
)

// A piece is bytes that have come before what belongs before them.
type piece struct {
	start int64
	b     []byte
	owner wire.Owner
	held  int // memory that it keeps from being used, bytes
}

func (p *piece) end() int64 { return p.start + int64(len(p.b)) }

func (p *piece) release() {
	if p.owner != nil {
		p.owner.Release()
	}
	*p = piece{}
}

// maxPieces bounds the bookkeeping for bytes out of order: someone who sends every other byte of the window would
// otherwise cost a hundred times what it holds, and as many steps for each that is put before them. Data beyond it is
// dropped and has to come again.
const maxPieces = 4096

// insert keeps b, which begins at off, where nothing is yet; the first copy of a byte counts. It tells how many bytes of
// it were new and are kept, and how many there was no memory for.
func (q *receiveQueue) insert(off int64, b []byte, owner wire.Owner, pinned int) (added, dropped int) {
	i := q.findPiece(off)
	for len(b) > 0 {
		if i < len(q.pieces) && q.pieces[i].start <= off {
			skip := min(q.pieces[i].end()-off, int64(len(b)))
			off, b = off+skip, b[skip:]
			i++
			continue
		}
		n := int64(len(b))
		if i < len(q.pieces) {
			n = min(n, q.pieces[i].start-off)
		}
		if !q.insertAt(&i, off, b[:n], owner, pinned) {
			return added, len(b)
		}
		added += int(n)
		off, b = off+n, b[n:]
	}
	return added, 0
}

// insertAt puts b before the piece *i, or joins it to the one before, and sets *i to the piece after it; false: there is
// no memory for it.
func (q *receiveQueue) insertAt(i *int, off int64, b []byte, owner wire.Owner, pinned int) bool {
	if owner != nil && !q.worthKeeping(len(b), pinned) {
		return q.insertCopy(i, off, b)
	}
	if owner == nil {
		pinned = len(b)
	}
	p := piece{start: off, b: b[:len(b):len(b)], owner: owner, held: pinned + bookkeeping}
	if len(q.pieces) >= maxPieces || !q.fits(p.held) {
		return false
	}
	if owner != nil {
		owner.Retain()
	}
	q.insertPiece(i, p)
	return true
}

// insertCopy is insertAt for bytes that are better copied.
func (q *receiveQueue) insertCopy(i *int, off int64, b []byte) bool {
	if *i > 0 {
		p := &q.pieces[*i-1]
		n := len(p.b) + len(b)
		if p.end() == off && p.owner == nil && n <= chunkLen && q.fits(grown(p.b, n)-cap(p.b)) {
			q.count(len(p.b), p.held, -1)
			p.b = extend(p.b, b)
			p.held = cap(p.b) + bookkeeping
			q.count(len(p.b), p.held, 1)
			return true
		}
	}
	if len(q.pieces) >= maxPieces || !q.fits(len(b)+bookkeeping) {
		return false
	}
	q.insertPiece(i, piece{start: off, b: exactly(b), held: len(b) + bookkeeping})
	return true
}

func (q *receiveQueue) insertPiece(i *int, p piece) {
	q.count(len(p.b), p.held, 1)
	q.pieces = slices.Insert(q.pieces, *i, p)
	*i++
}

// dropPieces gives up all pieces from the i-th on.
func (q *receiveQueue) dropPieces(i int) {
	for j := i; j < len(q.pieces); j++ {
		p := &q.pieces[j]
		q.count(len(p.b), p.held, -1)
		p.release()
	}
	q.pieces = q.pieces[:i]
}

// findPiece is the first piece that ends after off.
func (q *receiveQueue) findPiece(off int64) int {
	lo, hi := 0, len(q.pieces)
	for lo < hi {
		mid := (lo + hi) / 2
		if q.pieces[mid].end() <= off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// pull moves what is next in order now to what is ready.
func (q *receiveQueue) pull() {
	n := 0
	for n < len(q.pieces) && q.pieces[n].start <= q.nxt {
		p := &q.pieces[n]
		q.count(len(p.b), p.held, -1)
		b := p.b[min(q.nxt-p.start, int64(len(p.b))):]
		switch {
		case p.owner == nil:
			q.pushCopy(b)
		case len(b) > 0:
			q.pushRun(Run{B: b, Owner: p.owner, held: p.held})
		default:
			p.owner.Release()
		}
		n++
	}
	if n > 0 {
		q.pieces = slices.Delete(q.pieces, 0, n)
	}
}

// around is the run of bytes out of order that off lies in.
func (q *receiveQueue) around(off int64) (start, end int64, ok bool) {
	i := q.findPiece(off)
	if i == len(q.pieces) || q.pieces[i].start > off {
		return 0, 0, false
	}
	start, end = q.pieces[i].start, q.pieces[i].end()
	for j := i - 1; j >= 0 && q.pieces[j].end() == start; j-- {
		start = q.pieces[j].start
	}
	for j := i + 1; j < len(q.pieces) && q.pieces[j].start == end; j++ {
		end = q.pieces[j].end()
	}
	return start, end, true
}

// receiveData takes the payload of s, which begins at off, as far as the window reaches.
func (m *Machine) receiveData(s *wire.Segment, off int64) {
	q := &m.in
	end := off + int64(s.Len)
	if off < q.nxt {
		m.ack.duplicate(off, min(end, q.nxt)) // RFC 2883 §4
	}
	if edge := max(m.buf.edge, q.nxt); end > edge {
		m.stats.Discarded += end - edge
		end = edge
	}
	if end <= q.nxt {
		m.ack.owe() // a window probe, or nothing new
		return
	}
	q.limit = m.buf.memory(q)
	had, before := len(q.pieces) > 0, q.nxt
	at := off
	for _, b := range s.Data {
		b = b[:min(int64(len(b)), max(0, end-at))]
		m.receiveBytes(at, b, s)
		at += int64(len(b))
	}
	m.fit()
	if q.nxt == before {
		m.ack.outOfOrder(m, off, end)
		return
	}
	m.buf.received(m, s)
	if had || off < before {
		m.ack.owe() // "A TCP receiver SHOULD send an immediate ACK when the incoming segment fills in all or part of a gap" (RFC 5681 §4.2)
	}
	m.ack.inOrder(m, int(q.nxt-before), s)
	m.event(Event{Kind: EventData})
	m.reachFin()
}

// receiveBytes puts b, which begins at off, into one of the queues. Bytes that are there already are not taken twice.
func (m *Machine) receiveBytes(off int64, b []byte, s *wire.Segment) {
	q := &m.in
	for len(b) > 0 {
		if skip := q.nxt - off; skip > 0 {
			skip = min(skip, int64(len(b)))
			off, b = off+skip, b[skip:]
			continue
		}
		if off > q.nxt {
			added, dropped := q.insert(off, b, s.Owner, s.Pinned)
			if added+dropped == 0 {
				m.ack.duplicate(off, off+int64(len(b)))
			}
			m.stats.Discarded += int64(dropped)
			return
		}
		n := int64(len(b))
		if len(q.pieces) > 0 {
			n = min(n, q.pieces[0].start-off)
		}
		q.push(b[:n], s.Owner, s.Pinned)
		off, b = off+n, b[n:]
		q.pull()
	}
}
