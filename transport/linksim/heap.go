package linksim

// Heap has the item that comes before all others on top. It is written out because container/heap would allocate for
// each item. The zero value is empty.
type Heap[T interface{ Before(T) bool }] []T

// Push adds an item.
func (h *Heap[T]) Push(item T) {
	*h = append(*h, item)
	q := *h
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if !q[i].Before(q[up]) {
			return
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
}

// Pop takes the first item; there must be one.
func (h *Heap[T]) Pop() T {
	var none T
	q := *h
	first, last := q[0], len(q)-1
	q[0], q[last] = q[last], none
	q = q[:last]
	*h = q
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return first
		}
		if down+1 < last && q[down+1].Before(q[down]) {
			down++
		}
		if !q[down].Before(q[i]) {
			return first
		}
		q[i], q[down] = q[down], q[i]
		i = down
	}
}
