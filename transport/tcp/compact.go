package tcp

// compact moves what is left of a queue, q[head:], to its begin once most of its places are of what was taken: a queue that
// is never quite empty would else grow with all that has ever been in it. Few places are not worth the copy.
func compact[T any](q []T, head int) (left []T, newHead int) {
	if head <= 64 || head*2 <= len(q) {
		return q, head
	}
	n := copy(q, q[head:])
	clear(q[n:])
	return q[:n], 0
}
