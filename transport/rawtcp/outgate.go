package rawtcp

import (
	"io"
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

// spare is the least part of the limit, 1/spare, that has to be free before a Write that waits is woken: each waking
// costs more than the copy of a segment.
const spare = 4

// minUnsent is the least that Write may have in advance, in bytes: at 1 GB/s, a millisecond in which it is not scheduled.
const minUnsent = 1 << 20

// maxSpeed is more than a connection moves, in bytes a second: what waits beyond a round trip of it, only waits.
const maxSpeed = 4_000_000_000

// sendLimit is how many bytes a connection may hold, sent and unsent: twice the congestion window. On a path of
// microseconds that window may be anything, for nothing is ever lost there, and memory that no cache holds makes sending
// a third slower; there the bound is the round trip.
func sendLimit(window int, srtt time.Duration, most int) int {
	limit := min(max(2*window, minUnsent), most)
	if srtt > 0 {
		limit = int(min(int64(limit), minUnsent+int64(maxSpeed*srtt.Seconds()))) // more than 2 GB after half a second
	}
	return limit
}

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
		if err := g.refusal(); err != nil || len(b) == 0 {
			return 0, err
		}
		if room := g.limit - g.waiting - g.queued; room > 0 {
			return g.add(b[:min(len(b), room)]), nil
		}
		g.space.Wait()
	}
}

// fillFrom moves what r has into buffers, until its end. It reads into buffers of its own, without the lock and without
// another copy. wake is called after each piece. failed is why nothing more can be written, err what r has said.
func (g *outGate) fillFrom(r io.Reader, wake func()) (n int64, failed, err error) {
	buf, fill := transport.GetBuffer(), 0
	defer func() { buf.Release() }()
	for {
		if err := g.await(); err != nil {
			return n, err, nil
		}
		if fill == len(buf.B) {
			buf.Release()
			buf, fill = transport.GetBuffer(), 0
		}
		k, err := r.Read(buf.B[fill:])
		if k > 0 {
			if err := g.append(span{buf, fill, fill + k}); err != nil {
				return n, err, nil
			}
			fill, n = fill+k, n+int64(k)
			wake()
		}
		switch err {
		case nil:
		case io.EOF:
			return n, nil, nil
		default:
			return n, nil, err
		}
	}
}

// await waits until there is room.
func (g *outGate) await() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		if err := g.refusal(); err != nil {
			return err
		}
		if g.limit > g.waiting+g.queued {
			return nil
		}
		g.space.Wait()
	}
}

// append adds a span whose buffer somebody else holds, too.
func (g *outGate) append(s span) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.refusal(); err != nil {
		return err
	}
	g.waiting += s.to - s.from
	if last := len(g.spans) - 1; last >= 0 && g.spans[last].buf == s.buf && g.spans[last].to == s.from {
		g.spans[last].to = s.to
		return nil
	}
	s.buf.Retain()
	g.spans = append(g.spans, s)
	return nil
}

// refusal is why nothing can be written; nil: it can.
func (g *outGate) refusal() error {
	switch {
	case g.orders.ended():
		return net.ErrClosed
	case g.err != nil:
		return g.err
	case g.until.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
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
	if limit-g.queued >= limit/spare {
		g.space.Broadcast()
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
