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

// A dueHeap holds frames, the one that is due first on top. It is written out because container/heap would allocate
// for each frame.
type dueHeap []frame

func (h dueHeap) before(i, j int) bool {
	if h[i].due != h[j].due {
		return h[i].due < h[j].due
	}
	return h[i].seq < h[j].seq
}

func (h *dueHeap) push(f frame) {
	*h = append(*h, f)
	s := *h
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if !s.before(i, parent) {
			return
		}
		s[i], s[parent] = s[parent], s[i]
		i = parent
	}
}

// pop takes the frame that is due first; there must be one.
func (h *dueHeap) pop() frame {
	s := *h
	top, last := s[0], len(s)-1
	s[0], s[last] = s[last], frame{}
	s = s[:last]
	*h = s
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if s.before(child, least) {
				least = child
			}
		}
		if least == i {
			return top
		}
		s[i], s[least] = s[least], s[i]
		i = least
	}
}
