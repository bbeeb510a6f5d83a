package tcp

import "hawser/transport/wire"

// A block is memory that was appended to be sent. Its owner is released once the peer has acknowledged all of it.
type block struct {
	start  int64 // offset of its first byte in the stream
	b      []byte
	owner  wire.Owner
	m      wire.Mapping
	mapped bool
}

func (b *block) end() int64 { return b.start + int64(len(b.b)) }

// join makes n a part of b where it follows it in the same memory: whoever writes little at a time into one buffer appends
// it in many pieces, and a segment takes few. It gives n's hold of their owner up.
func (b *block) join(n *block) bool {
	have := len(b.b)
	if b.mapped || n.mapped || b.owner != n.owner || cap(b.b) < have+len(n.b) || &b.b[:have+1][have] != &n.b[0] {
		return false
	}
	b.b = b.b[:have+len(n.b)]
	if n.owner != nil {
		n.owner.Release()
	}
	return true
}

// sendQueue is what was appended and is not yet acknowledged: references in the order of the stream, never copies.
type sendQueue struct {
	blocks []block
	head   int   // blocks before it are released
	end    int64 // offset after the last byte
}

// add takes a block over.
func (q *sendQueue) add(b block) {
	b.start = q.end
	q.end += int64(len(b.b))
	if last := len(q.blocks) - 1; last >= q.head && q.blocks[last].join(&b) {
		return
	}
	q.blocks, q.head = compact(q.blocks, q.head)
	q.blocks = append(q.blocks, b)
}

// release lets go of what lies before off.
func (q *sendQueue) release(off int64) {
	for q.head < len(q.blocks) && q.blocks[q.head].end() <= off {
		if o := q.blocks[q.head].owner; o != nil {
			o.Release()
		}
		q.blocks[q.head] = block{}
		q.head++
	}
	if q.head == len(q.blocks) {
		q.blocks, q.head = q.blocks[:0], 0
	}
}

// find is the index of the block that holds off.
func (q *sendQueue) find(off int64) int {
	lo, hi := q.head, len(q.blocks)
	for lo < hi {
		mid := (lo + hi) / 2
		if q.blocks[mid].end() <= off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// bound is where a segment from off to to has to end at the latest: it stays inside one mapping, which is immutable
// (RFC 8684 §3.3.1), and mapped bytes do not mix with others.
func (q *sendQueue) bound(off, to int64) int64 {
	for i := q.find(off); i < len(q.blocks); i++ {
		b := &q.blocks[i]
		if b.mapped && b.start > off {
			return b.start
		}
		if b.mapped || b.end() >= to {
			return min(b.end(), to)
		}
	}
	return to
}

// mapping is the one declared for the byte at off; nil: none.
func (q *sendQueue) mapping(off int64) *wire.Mapping {
	if i := q.find(off); i < len(q.blocks) && q.blocks[i].mapped {
		return &q.blocks[i].m
	}
	return nil
}

// gather is how many of the n bytes from off on lie in as many blocks as one segment may refer to.
func (q *sendQueue) gather(off int64, n int) int {
	if last := q.find(off) + wire.MaxPieces - 1; last < len(q.blocks) {
		return int(min(int64(n), q.blocks[last].end()-off))
	}
	return n
}

// slices adds n bytes from off on to dst by reference.
func (q *sendQueue) slices(dst [][]byte, off int64, n int) [][]byte {
	for i := q.find(off); n > 0; i++ {
		b := q.blocks[i].b[off-q.blocks[i].start:]
		b = b[:min(len(b), n)]
		dst = append(dst, b)
		off, n = off+int64(len(b)), n-len(b)
	}
	return dst
}
