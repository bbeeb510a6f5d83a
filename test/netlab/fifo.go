package netlab

// A fifo is a queue of frames in a ring that grows.
type fifo struct {
	ring  []frame // its length is a power of two
	head  int
	count int
}

func (q *fifo) len() int { return q.count }

// first returns the oldest frame; there must be one.
func (q *fifo) first() *frame { return &q.ring[q.head] }

func (q *fifo) push(f frame) {
	if q.count == len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.count)&(len(q.ring)-1)] = f
	q.count++
}

func (q *fifo) grow() {
	ring := make([]frame, max(64, 2*len(q.ring)))
	n := copy(ring, q.ring[q.head:])
	copy(ring[n:], q.ring[:q.head])
	q.ring, q.head = ring, 0
}

// pop takes the oldest frame; there must be one.
func (q *fifo) pop() frame {
	f := q.ring[q.head]
	q.ring[q.head] = frame{}
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.count--
	return f
}
