package mptcp

import (
	"sync"
	"time"

	"hawser/transport"
)

// message is what other goroutines have for a connection's loop: a carrier's input for one subflow, or a rare errand.
type message struct {
	sub  *subflow
	in   transport.Input
	do   func(now time.Time)
	late func() // called in place of do when the loop ends before its turn; nil: nothing is lost
}

// inbox hands messages to the loop in batches. Its lock is never held across anything that blocks; a put after close
// gives the buffers back.
type inbox struct {
	mu     sync.Mutex
	queue  []message
	closed bool
	wake   chan struct{} // capacity 1
}

func newInbox() inbox { return inbox{wake: make(chan struct{}, 1)} }

// put adds m and wakes the loop; false: the loop has ended.
func (b *inbox) put(m message) bool {
	b.mu.Lock()
	closed := b.closed
	if !closed {
		b.queue = append(b.queue, m)
	}
	b.mu.Unlock()
	if closed {
		if m.in != nil {
			m.in.Release()
		}
		return false
	}
	b.kick()
	return true
}

// kick makes the loop take a turn.
func (b *inbox) kick() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take swaps the queue for an empty one made of spare.
func (b *inbox) take(spare []message) []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queue
	b.queue = spare[:0]
	return q
}

// close refuses further messages and gives back what is left.
func (b *inbox) close() {
	b.mu.Lock()
	left := b.queue
	b.queue, b.closed = nil, true
	b.mu.Unlock()
	discard(left)
}
