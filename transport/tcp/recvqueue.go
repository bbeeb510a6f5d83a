package tcp

import (
	"hawser/transport/wire"
)

// A Run is received bytes in order, and the memory that holds them.
type Run struct {
	B      []byte
	Offset int64 // place in the peer's stream, payload bytes from 0
	Owner  wire.Owner
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

// receiveQueue is the peer's stream.
type receiveQueue struct {
	nxt      int64 // RCV.NXT as an offset
	fin      int64 // offset of the peer's FIN; 0: not seen
	finTaken bool
	deaf     bool // CloseRead was called
	unread   int  // bytes that wait for Next
	ready    readyQueue
	pieces   []piece // out of order, by offset, without overlap
	chunk    []byte  // memory into which small payloads are copied
}

func (q *receiveQueue) init() { q.nxt = 0 }

// sparse tells whether a payload would keep more than four times its own size from being used.
func sparse(n, pinned int) bool { return pinned > 4*n }

// chunkLen is what is allocated at a time for small payloads.
const chunkLen = 32 << 10

// compact copies b to where the memory of small payloads ends. It is collected when nothing refers to it any more.
func (q *receiveQueue) compact(b []byte) []byte {
	if cap(q.chunk)-len(q.chunk) < len(b) {
		q.chunk = make([]byte, 0, max(chunkLen, len(b)))
	}
	at := len(q.chunk)
	q.chunk = append(q.chunk, b...)
	return q.chunk[at:len(q.chunk):len(q.chunk)]
}

// follows tells whether b lies right after a in the memory of small payloads, so that both can be one.
func (q *receiveQueue) follows(a, b []byte) bool {
	n := len(q.chunk)
	return len(a) > 0 && len(b) > 0 && n >= len(a)+len(b) && &q.chunk[n-len(b)] == &b[0] && &q.chunk[n-len(b)-len(a)] == &a[0]
}

// push adds bytes that are next in order. Their owner is retained, unless they are copied: that is when something
// waits before them already.
func (q *receiveQueue) push(b []byte, owner wire.Owner, pinned int) {
	r := &q.ready
	last := len(r.runs) - 1
	waits := r.head <= last
	if waits && owner != nil && sparse(len(b), pinned) {
		b, owner = q.compact(b), nil
		if tail := &r.runs[last]; tail.Owner == nil && q.follows(tail.B, b) {
			tail.B = q.chunk[len(q.chunk)-len(b)-len(tail.B) : len(q.chunk) : len(q.chunk)]
			q.advance(len(b))
			return
		}
	}
	if owner != nil {
		owner.Retain()
	}
	q.pushOwned(Run{B: b, Offset: q.nxt - 1, Owner: owner})
}

// pushOwned adds a run whose memory is ours already.
func (q *receiveQueue) pushOwned(run Run) {
	q.ready.runs = append(q.ready.runs, run)
	q.advance(len(run.B))
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
	for i := range q.pieces {
		q.pieces[i].release()
	}
	q.pieces, q.chunk = nil, nil
}
