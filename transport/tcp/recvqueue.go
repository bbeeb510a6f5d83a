package tcp

import "hawser/transport/wire"

// A Run is received bytes in order, and the memory that holds them.
type Run struct {
	B      []byte
	Offset int64 // place in the peer's stream, payload bytes from 0
	Owner  wire.Owner
	held   int // memory that it keeps from being used, bytes
}

// Release gives the bytes up. The Run must not be used after it.
func (r *Run) Release() {
	if r.Owner != nil {
		r.Owner.Release()
	}
	*r = Run{}
}

// readyQueue is what is in order and not yet taken.
type readyQueue struct {
	start int64 // set once: offset of the first byte of the stream
	runs  []Run
	head  int
}

// add puts a run at the end.
func (q *readyQueue) add(r Run) {
	q.runs, q.head = compact(q.runs, q.head)
	q.runs = append(q.runs, r)
}

// receiveQueue is the peer's stream.
type receiveQueue struct {
	nxt      int64 // RCV.NXT as an offset
	fin      int64 // offset of the peer's FIN; 0: not seen
	finTaken bool
	deaf     bool // CloseRead was called
	unread   int  // bytes that wait for Next
	ready    readyQueue
	pieces   []piece // out of order, by offset, without overlap

	held  int // memory of runs and pieces, bytes
	loose int // … that is more than their bytes and could be had back by copying them
	limit int // of held; see fit
}

func (q *receiveQueue) init() { q.nxt = 0 }

// push adds bytes that are next in order. Their owner is retained, unless they are copied: that is when something
// waits before them already, and they would keep too much memory from being used.
func (q *receiveQueue) push(b []byte, owner wire.Owner, pinned int) {
	if q.ready.head < len(q.ready.runs) && owner != nil && !q.worthKeeping(len(b), pinned) {
		q.pushCopy(b)
		return
	}
	if owner != nil {
		owner.Retain()
	} else {
		pinned = len(b)
	}
	q.pushRun(Run{B: b[:len(b):len(b)], Owner: owner, held: pinned + bookkeeping})
}

// pushCopy adds bytes that are next in order as copies.
func (q *receiveQueue) pushCopy(b []byte) {
	for len(b) > 0 {
		last := len(q.ready.runs) - 1
		if last < q.ready.head || q.ready.runs[last].Owner != nil || len(q.ready.runs[last].B) >= chunkLen {
			n := min(len(b), chunkLen)
			q.pushRun(Run{B: exactly(b[:n]), held: n + bookkeeping})
			b = b[n:]
			continue
		}
		tail := &q.ready.runs[last]
		n := min(len(b), chunkLen-len(tail.B))
		q.count(len(tail.B), tail.held, -1)
		tail.B = extend(tail.B, b[:n])
		tail.held = cap(tail.B) + bookkeeping
		q.count(len(tail.B), tail.held, 1)
		q.advance(n)
		b = b[n:]
	}
}

// pushRun adds a run whose memory is ours already.
func (q *receiveQueue) pushRun(r Run) {
	r.Offset = q.nxt - 1
	q.count(len(r.B), r.held, 1)
	q.ready.add(r)
	q.advance(len(r.B))
}

func (q *receiveQueue) advance(n int) {
	q.nxt += int64(n)
	q.unread += n
}

// take gives the first run away.
func (q *receiveQueue) take() (Run, bool) {
	r := &q.ready
	if r.head == len(r.runs) {
		return Run{}, false
	}
	run := r.runs[r.head]
	r.runs[r.head] = Run{}
	r.head++
	if r.head == len(r.runs) {
		r.runs, r.head = r.runs[:0], 0
	}
	q.unread -= len(run.B)
	q.count(len(run.B), run.held, -1)
	return run, true
}

// dropReady and dropUnordered give the memory back.
func (q *receiveQueue) dropReady() {
	for {
		r, ok := q.take()
		if !ok {
			return
		}
		r.Release()
	}
}

func (q *receiveQueue) dropUnordered() {
	q.dropPieces(0)
	q.pieces = nil
}
