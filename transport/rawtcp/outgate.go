package rawtcp

import (
	"net"
	"os"
	"sync"
	"time"

	"hawser/transport"
)

// outGate is the border between Write and the loop: bytes in pooled buffers, in order. mu guards it.
type outGate struct {
	mu      sync.Mutex
	space   sync.Cond
	spans   []span
	tail    *transport.Buffer // being filled; nil: none
	fill    int
	waiting int // bytes of spans
	queued  int // bytes in the machine, when the loop looked last
	limit   int // of both together
	orders  orders
	err     error // the connection is over
	until   deadline
}

// span is written bytes; the loop takes their hold of buf over.
type span struct {
	buf      *transport.Buffer
	from, to int
}

// orders is what the application wants of the loop beyond sending.
type orders struct {
	fin   bool  // CloseWrite
	close bool  // Close: nobody reads any more
	reset error // not nil: Abort, and why
}

// ended says that nothing more is written.
func (o *orders) ended() bool { return o.fin || o.close || o.reset != nil }

// minUnsent is the least that Write may have in advance, in bytes: at 1 GB/s, a millisecond in which it is not scheduled.
const minUnsent = 1 << 20

// write copies b into buffers and blocks while too much waits. wake is called, without the lock, after each piece.
func (g *outGate) write(b []byte, wake func()) (n int, err error) {
	for {
		k, err := g.piece(b[n:])
		n += k
		if k > 0 {
			wake()
		}
		if err != nil || n == len(b) {
			return n, err
		}
	}
}

// piece takes as many bytes of b as there is room for in one buffer, at least one unless b is empty or err is not nil.
func (g *outGate) piece(b []byte) (n int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		switch {
		case g.orders.ended():
			return 0, net.ErrClosed
		case g.err != nil:
			return 0, g.err
		case g.until.passed():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		}
		if room := g.limit - g.waiting - g.queued; room > 0 {
			return g.add(b[:min(len(b), room)]), nil
		}
		g.space.Wait()
	}
}

// add copies what fits into the tail.
func (g *outGate) add(b []byte) int {
	if g.tail != nil && g.fill == len(g.tail.B) {
		g.tail.Release()
		g.tail = nil
	}
	if g.tail == nil {
		g.tail, g.fill = transport.GetBuffer(), 0
	}
	n := copy(g.tail.B[g.fill:], b)
	if last := len(g.spans) - 1; last >= 0 && g.spans[last].buf == g.tail {
		g.spans[last].to += n
	} else {
		g.tail.Retain()
		g.spans = append(g.spans, span{g.tail, g.fill, g.fill + n})
	}
	g.fill += n
	g.waiting += n
	return n
}

// take exchanges the spans for an empty queue, of which queued bytes are not yet acknowledged, and tells the orders.
func (g *outGate) take(empty []span, queued, limit int) ([]span, orders) {
	g.mu.Lock()
	defer g.mu.Unlock()
	full := g.spans
	g.spans = empty
	g.queued, g.limit = queued+g.waiting, limit
	g.waiting = 0
	if len(full) == 0 && queued == 0 && g.tail != nil {
		g.tail.Release() // an idle connection keeps no buffer
		g.tail = nil
	}
	if g.queued < limit {
		g.space.Signal()
	}
	return full, g.orders
}

// order adds to the orders. It returns false when the connection was closed or reset before.
func (g *outGate) order(o orders) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	had := &g.orders
	if had.reset != nil || had.close && o.reset == nil {
		return false
	}
	had.fin, had.close, had.reset = had.fin || o.fin, had.close || o.close, o.reset
	if had.close || had.reset != nil {
		g.until.set(time.Time{}, &g.space)
	}
	g.space.Broadcast()
	return true
}

// finish makes writes return err, and drops what waits.
func (g *outGate) finish(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
	for _, s := range g.spans {
		s.buf.Release()
	}
	g.spans, g.waiting = nil, 0
	if g.tail != nil {
		g.tail.Release()
		g.tail = nil
	}
	g.until.set(time.Time{}, &g.space)
	g.space.Broadcast()
}

func (g *outGate) setDeadline(t time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil && !g.orders.close && g.orders.reset == nil {
		g.until.set(t, &g.space)
	}
}
