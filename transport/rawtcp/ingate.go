package rawtcp

import (
	"io"
	"net"
	"os"
	"sync"
	"time"

	"hawser/transport/tcp"
)

// maxUnread is how much memory may wait in front of Read, in bytes. It has to cover what the loop takes in while the
// reader is busy; the rest waits in the machine, which holds it in less memory and closes the window.
const maxUnread = 512 << 10

// inGate is the border between the loop and Read: runs of bytes in order. mu guards it.
type inGate struct {
	mu     sync.Mutex
	ready  sync.Cond
	runs   []unread
	first  int
	cost   int  // memory of the runs, bytes
	more   bool // the loop has more and wants to know when there is room
	eof    bool
	err    error // after what is unread
	closed bool
	until  deadline
}

// unread is a run, and the memory that was counted for it.
type unread struct {
	tcp.Run
	cost int
}

// runCost is the memory that a run keeps.
func runCost(r *tcp.Run) int {
	if a, ok := r.Owner.(*arrival); ok {
		return a.cost()
	}
	return len(r.B) + arrivalCost
}

// room is how much memory may be put now.
func (g *inGate) room() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maxUnread - g.cost
}

// put hands runs over. more: the loop has others that did not fit.
func (g *inGate) put(rs []tcp.Run, more bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.first > 64 {
		n := copy(g.runs, g.runs[g.first:])
		clear(g.runs[n:])
		g.runs, g.first = g.runs[:n], 0
	}
	for i := range rs {
		if g.closed {
			rs[i].Release()
			continue
		}
		u := unread{Run: rs[i], cost: runCost(&rs[i])}
		g.cost += u.cost
		g.runs = append(g.runs, u)
	}
	g.more = more
	g.ready.Signal()
}

// finish says that the stream ends after what was put; err nil: in order.
func (g *inGate) finish(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.eof && g.err == nil {
		g.eof, g.err = err == nil, err
	}
	g.ready.Broadcast()
}

// read waits for bytes and copies them into b. told: the loop wants to hear of it.
func (g *inGate) read(b []byte) (n int, told bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.await(len(b) == 0); err != nil || len(b) == 0 {
		return 0, false, err
	}
	n, told = g.copy(b)
	return n, told, nil
}

// next waits for a run and hands it over. told: the loop wants to hear of it.
func (g *inGate) next() (r tcp.Run, told bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.await(false); err != nil {
		return r, false, err
	}
	r = g.runs[g.first].Run
	g.drop()
	return r, g.told(), nil
}

// await waits until a run is there. idle: it does not wait.
func (g *inGate) await(idle bool) error {
	for {
		switch {
		case g.closed:
			return net.ErrClosed
		case g.until.passed():
			return os.ErrDeadlineExceeded
		case idle || g.first < len(g.runs):
			return nil
		case g.eof:
			return io.EOF
		case g.err != nil:
			return g.err
		}
		g.ready.Wait()
	}
}

// drop takes the first run out; whoever called has its bytes.
func (g *inGate) drop() {
	r := &g.runs[g.first]
	g.cost -= r.cost
	*r = unread{}
	if g.first++; g.first == len(g.runs) {
		g.runs, g.first = g.runs[:0], 0
	}
}

// told says, once, that there is room again for what the loop holds.
func (g *inGate) told() bool {
	told := g.more && g.cost < maxUnread/2
	if told {
		g.more = false
	}
	return told
}

// copy takes what is there, as much as fits into b.
func (g *inGate) copy(b []byte) (n int, told bool) {
	for n < len(b) && g.first < len(g.runs) {
		r := &g.runs[g.first]
		k := copy(b[n:], r.B)
		n += k
		if r.B = r.B[k:]; len(r.B) > 0 {
			break
		}
		r.Release()
		g.drop()
	}
	return n, g.told()
}

// close drops what is unread and what still comes. lost: there was something.
func (g *inGate) close() (lost bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	lost = g.first < len(g.runs)
	g.closed = true
	for i := g.first; i < len(g.runs); i++ {
		g.runs[i].Release()
	}
	g.runs, g.first, g.cost = nil, 0, 0
	g.until.set(time.Time{}, &g.ready)
	return lost
}

func (g *inGate) setDeadline(t time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.until.set(t, &g.ready)
	}
}
