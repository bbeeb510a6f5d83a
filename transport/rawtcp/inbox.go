package rawtcp

import "sync"

// Bounds of what waits in an inbox. A loop that is awake empties it at once; these are for one that is held up.
const (
	maxInbox      = 4096    // packets
	maxInboxBytes = 8 << 20 // of buffers that they hold
)

// inbox is the border between the reader and a loop. mu guards it.
type inbox struct {
	mu      sync.Mutex
	queue   []*arrival
	held    int // bytes
	dropped int64
	closed  bool
}

// put adds packets; those that do not fit are dropped.
func (b *inbox) put(as []*arrival) {
	b.mu.Lock()
	for i, a := range as {
		if b.closed || len(b.queue) >= maxInbox || b.held+a.cost() > maxInboxBytes {
			b.dropped++
			a.Release()
		} else {
			b.held += a.cost()
			b.queue = append(b.queue, a)
		}
		as[i] = nil
	}
	b.mu.Unlock()
}

// take exchanges the queue for an empty one.
func (b *inbox) take(empty []*arrival) []*arrival {
	b.mu.Lock()
	defer b.mu.Unlock()
	full := b.queue
	b.queue, b.held = empty, 0
	return full
}

// close drops what waits and what still comes.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for i, a := range b.queue {
		a.Release()
		b.queue[i] = nil
	}
	b.queue, b.held = nil, 0
}

// drops is how many packets did not fit.
func (b *inbox) drops() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}
