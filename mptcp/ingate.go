package mptcp

import (
	"io"
	"net"
	"sync"

	"hawser/transport"
)

const (
	// compactAbove is how many bytes may wait for the application in the buffers they were read into. Beyond it small
	// payloads are copied together, because each pins a whole read buffer.
	compactAbove = 256 << 10
	// filling is the size from which a payload stays in its read buffer, bytes: it pins at most eight times its size,
	// on average far less because its neighbours lie in the same buffer. Bulk comes in frames of 16 kB and more,
	// and a fast connection has better use for its time than to copy them again.
	filling = transport.BufferSize / 8
	// copySize is what small payloads are copied together into, bytes.
	copySize = 64 << 10
)

// inGate is the border between the loop and Read: bytes in order, until the application takes them.
type inGate struct {
	mu       sync.Mutex
	queue    []transport.Payload
	first    int
	unread   int
	consumed uint64 // bytes that Read has taken so far
	notify   uint64 // the loop wants to know when consumed passes this
	eof      bool
	err      error // sticky; what is unread is delivered first unless broken
	broken   bool
	closed   bool // Close was called: nothing is kept any more
	ready    chan struct{}
}

func newInGate() inGate { return inGate{ready: make(chan struct{}, 1)} }

// put hands over bytes in order; the gate owns them from here.
func (g *inGate) put(ps []transport.Payload) {
	g.mu.Lock()
	for i := range ps {
		if g.closed || g.broken {
			ps[i].Release()
			continue
		}
		g.unread += len(ps[i].B)
		if g.unread > compactAbove && g.compact(&ps[i]) || g.join(&ps[i]) {
			continue
		}
		g.queue = append(g.queue, ps[i])
	}
	g.mu.Unlock()
	g.signal()
}

// join appends a few bytes to the copy that waits before them: in a queue entry of their own they would cost many times
// their number.
func (g *inGate) join(p *transport.Payload) bool {
	last := len(g.queue) - 1
	if last < g.first || p.Buf != nil || len(p.B) >= smallRun {
		return false
	}
	if g.queue[last].Buf != nil || len(g.queue[last].B)+len(p.B) > copySize {
		return false
	}
	g.queue[last].B = append(g.queue[last].B, p.B...)
	p.Release()
	return true
}

// compact copies p behind the last payload of the queue when that is a copy with room, or begins such a copy. A copy that
// follows a copy has room for more, one that stands alone has not: small payloads between large ones would each cost a
// block, and the clearing of it.
func (g *inGate) compact(p *transport.Payload) bool {
	if len(p.B) >= filling {
		return false
	}
	last := len(g.queue) - 1
	follows := last >= g.first && g.queue[last].Buf == nil
	if !follows || cap(g.queue[last].B)-len(g.queue[last].B) < len(p.B) {
		size := len(p.B)
		if follows {
			size = copySize
		}
		g.queue = append(g.queue, transport.Payload{B: make([]byte, 0, size)})
		last = len(g.queue) - 1
	}
	g.queue[last].B = append(g.queue[last].B, p.B...)
	p.Release()
	return true
}

// read copies what is there into p; 0 bytes and no error: wait. told is true when the loop wants to hear of it.
func (g *inGate) read(p []byte) (n int, told bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.broken || g.closed {
		return 0, false, g.err
	}
	for n < len(p) && g.first < len(g.queue) {
		head := &g.queue[g.first]
		m := copy(p[n:], head.B)
		n += m
		if head.B = head.B[m:]; len(head.B) == 0 {
			head.Release()
			g.first++
		}
	}
	if g.first == len(g.queue) {
		g.queue, g.first = g.queue[:0], 0
	} else if g.first > 256 {
		m := copy(g.queue, g.queue[g.first:])
		clear(g.queue[m:])
		g.queue, g.first = g.queue[:m], 0
	}
	g.unread -= n
	g.consumed += uint64(n)
	told = n > 0 && g.consumed >= g.notify
	switch {
	case n > 0 || len(p) == 0:
		return n, told, nil
	case g.eof:
		return 0, false, io.EOF
	}
	return 0, false, g.err
}

// progress returns how much was consumed so far and asks to be told when that many more bytes have been.
func (g *inGate) progress(more uint64) (consumed uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.notify = g.consumed + more
	return g.consumed
}

// taken is how much was consumed so far.
func (g *inGate) taken() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.consumed
}

// finish says that the peer's stream has ended after what was put.
func (g *inGate) finish() {
	g.mu.Lock()
	g.eof = true
	g.mu.Unlock()
	g.signal()
}

// fail makes reads return err: after what is unread, or at once when the connection was broken off.
func (g *inGate) fail(err error, broken bool) {
	g.mu.Lock()
	if g.err == nil {
		g.err = err
	}
	if broken {
		g.broken = true
		g.drop()
	}
	g.mu.Unlock()
	g.signal()
}

// close drops what is unread and what still comes.
func (g *inGate) close() {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		if g.err == nil {
			g.err = net.ErrClosed
		}
		g.drop()
	}
	g.mu.Unlock()
	g.signal()
}

func (g *inGate) drop() {
	for i := g.first; i < len(g.queue); i++ {
		g.queue[i].Release()
	}
	g.queue, g.first, g.unread = nil, 0, 0
}

func (g *inGate) signal() {
	select {
	case g.ready <- struct{}{}:
	default:
	}
}
