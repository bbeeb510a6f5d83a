package mptcp

import "sync/atomic"

// freeBytes is what every connection may hold in each direction without asking the budget, so that a full budget
// slows connections down and never stops one.
const freeBytes = 256 << 10

// Budget bounds the memory of the send and receive buffers of all connections that share it. Each direction has half,
// so that a peer that does not read cannot keep this end from receiving. Safe for concurrent use. A nil Budget has no
// limit.
type Budget struct {
	limit      int64 // of each direction, bytes
	send, recv atomic.Int64
}

// NewBudget makes a budget of total bytes for both directions together.
func NewBudget(total int64) *Budget { return &Budget{limit: total / 2} }

// Used tells how many bytes are reserved for sending and for receiving.
func (b *Budget) Used() (send, recv int64) {
	if b == nil {
		return 0, 0
	}
	return b.send.Load(), b.recv.Load()
}

// Reserve takes n bytes of the receiving half; false: there is not as much left. It serves windows above this
// package, those of the mux.
func (b *Budget) Reserve(n int) bool { return b == nil || take(&b.recv, int64(n), b.limit) }

// reserveWindow takes n bytes of the receiving half for the window of a connection. It leaves an eighth to
// what is above: there a new stream would be refused for want of memory, while a window that does not grow only makes a
// connection slower.
func (b *Budget) reserveWindow(n int) bool {
	return b == nil || take(&b.recv, int64(n), b.limit-b.limit/8)
}

// Release gives back n bytes of the receiving half.
func (b *Budget) Release(n int) {
	if b != nil {
		b.recv.Add(-int64(n))
	}
}

// reserveSend takes n bytes for a connection that holds have already; the first freeBytes are not counted.
func (b *Budget) reserveSend(have, n int) bool {
	return b == nil || have+n <= freeBytes || take(&b.send, int64(n), b.limit)
}

// releaseSend gives back n bytes of a connection that still holds have.
func (b *Budget) releaseSend(have, n int) {
	if b != nil && have+n > freeBytes {
		b.send.Add(-int64(n))
	}
}

func take(used *atomic.Int64, n, limit int64) bool {
	for {
		v := used.Load()
		if v+n > limit {
			return false
		}
		if used.CompareAndSwap(v, v+n) {
			return true
		}
	}
}
