package mux

import "sync"

// gateSize is how many bytes of application data may be between Stream.Write and the connection below: two frames.
// One is being encrypted and written while the next is filled; more would only be a queue that small requests wait in.
const gateSize = 2 * payloadSize

// gate is a byte semaphore with two classes: urgent tickets (a stream's first bytes, small exchanges) pass before bulk
// ones, and each class is served in the order of arrival. Each stream waits with one ticket for one frame, so streams
// that all have much to send take turns frame by frame.
//
// The library below has a queue of 64 frames that cannot be made shorter; the gate keeps it empty.
type gate struct {
	mu     sync.Mutex
	free   int
	queues [2][]*ticket // urgent, bulk
}

// ticket is one writer's place; a stream has one and uses it again.
type ticket struct {
	n       int
	granted bool          // under gate.mu
	ready   chan struct{} // one slot
}

func newGate() *gate { return &gate{free: gateSize} }

// enter takes n bytes at once if nobody of the same or a higher class waits; otherwise it queues the ticket and returns
// false: t.ready then tells when the bytes are granted.
func (g *gate) enter(t *ticket, n int, urgent bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting := len(g.queues[0]) > 0 || (!urgent && len(g.queues[1]) > 0)
	if !waiting && g.free >= n {
		g.free -= n
		return true
	}
	if t.ready == nil {
		t.ready = make(chan struct{}, 1)
	}
	t.n, t.granted = n, false
	class := 1
	if urgent {
		class = 0
	}
	g.queues[class] = append(g.queues[class], t)
	return false
}

// leave gives n bytes back and lets in who waits.
func (g *gate) leave(n int) {
	if n == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free += n
	g.admit()
}

// admit grants what fits, urgent tickets first; a ticket that does not fit holds those behind it, so that it is never
// overtaken for ever. Under mu.
func (g *gate) admit() {
	for class := range g.queues {
		for len(g.queues[class]) > 0 {
			t := g.queues[class][0]
			if g.free < t.n {
				return
			}
			g.free -= t.n
			g.queues[class] = g.queues[class][1:]
			t.granted = true
			t.ready <- struct{}{}
		}
	}
}

// cancel takes a ticket out of its queue; if it was granted meanwhile the bytes are given back.
func (g *gate) cancel(t *ticket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.granted {
		<-t.ready
		t.granted = false
		g.free += t.n
	} else {
		g.remove(t)
	}
	g.admit()
}

// remove drops a ticket that waits. Under mu.
func (g *gate) remove(t *ticket) {
	for class, q := range g.queues {
		for i := range q {
			if q[i] == t {
				g.queues[class] = append(q[:i:i], q[i+1:]...)
				return
			}
		}
	}
}
