package mptcp

import (
	"io"
	"sync"
)

// minUnassigned is how much may always wait in a connection without a subflow, bytes. Above it, the limit is 2 ms of
// what the uplinks deliver (SetLimit): what waits above the connection can still be put in another order.
const minUnassigned = 64 << 10

// outGate is the border between Write and the loop.
type outGate struct {
	budget *Budget

	mu         sync.Mutex
	spans      []span // written, not yet taken by the loop
	cur        *chunk // being filled; nil: none
	fill       int
	unassigned int   // bytes written and not yet given to a subflow
	limit      int   // of unassigned
	held       int   // bytes of the send buffer in all
	reserved   int   // bytes of the budget in use
	fin        bool  // CloseWrite was called
	pressed    bool  // Write had to wait since the last take
	err        error // sticky
	space      chan struct{}
}

func newOutGate(budget *Budget) outGate {
	return outGate{budget: budget, limit: minUnassigned, space: make(chan struct{}, 1)}
}

// write takes a prefix of p; 0 bytes and no error: wait for space.
func (g *outGate) write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return 0, g.err
	}
	if g.fin {
		return 0, io.ErrClosedPipe
	}
	n := 0
	for n < len(p) && g.unassigned < g.limit {
		room := g.room()
		if room == nil {
			break
		}
		m := copy(room, p[n:])
		g.extend(room[:m:m])
		n += m
	}
	g.pressed = g.pressed || n < len(p)
	return n, nil
}

// room is the free part of the chunk being filled; nil: the memory budget is used up.
func (g *outGate) room() []byte {
	if g.cur != nil && g.fill < chunkSize {
		return g.cur.b[g.fill:]
	}
	if g.held+chunkSize > g.reserved {
		if !g.budget.reserveSend(g.reserved, chunkSize) {
			return nil
		}
		g.reserved += chunkSize
	}
	if g.cur != nil {
		g.cur.release()
	}
	g.cur, g.fill = newChunk(), 0
	return g.cur.b
}

// extend accounts for the bytes b that were written to the chunk's free part, joined to the last span where it ends
// just before them.
func (g *outGate) extend(b []byte) {
	g.unassigned += len(b)
	g.held += len(b)
	if last := len(g.spans) - 1; last >= 0 && g.spans[last].c == g.cur {
		s := &g.spans[last]
		start := g.fill - len(s.b)
		g.fill += len(b)
		s.b = g.cur.b[start:g.fill:g.fill]
		return
	}
	g.fill += len(b)
	g.cur.retain()
	g.spans = append(g.spans, span{c: g.cur, b: b})
}

// take hands the loop what was written since the last call, and says whether the stream ends after it and whether a
// Write had to wait.
func (g *outGate) take(into *sendBuffer) (fin, pressed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.spans {
		into.add(s)
	}
	clear(g.spans)
	g.spans = g.spans[:0]
	pressed, g.pressed = g.pressed, false
	return g.fin, pressed
}

// progress says how many bytes were given to a subflow for the first time, how many the peer's DATA_ACK released, and
// how many may wait from now on.
func (g *outGate) progress(assigned, acked, limit int) {
	g.mu.Lock()
	g.unassigned -= assigned
	g.held -= acked
	g.limit = max(minUnassigned, limit)
	for g.reserved-chunkSize >= g.held+2*chunkSize {
		g.reserved -= chunkSize
		g.budget.releaseSend(g.reserved, chunkSize)
	}
	if g.cur != nil && g.held == 0 && len(g.spans) == 0 {
		// Nothing is left to send: an idle connection holds no block.
		g.cur.release()
		g.cur = nil
	}
	open := g.unassigned < g.limit
	g.mu.Unlock()
	if open {
		g.signal()
	}
}

func (g *outGate) signal() {
	select {
	case g.space <- struct{}{}:
	default:
	}
}

// closeWrite ends the stream after what was written.
func (g *outGate) closeWrite() {
	g.mu.Lock()
	g.fin = true
	g.mu.Unlock()
}

// fail makes every further write return err and gives back what was not taken.
func (g *outGate) fail(err error) {
	g.mu.Lock()
	if g.err == nil {
		g.err = err
	}
	for _, s := range g.spans {
		s.c.release()
	}
	g.spans = nil
	if g.cur != nil {
		g.cur.release()
		g.cur = nil
	}
	g.unassigned = 0
	g.mu.Unlock()
	g.signal()
}

// settle returns the budget when the loop has ended.
func (g *outGate) settle() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.reserved > 0 {
		g.reserved -= chunkSize
		g.budget.releaseSend(g.reserved, chunkSize)
	}
}

// backlog is the number of bytes written and not yet given to a subflow.
func (g *outGate) backlog() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.unassigned
}
