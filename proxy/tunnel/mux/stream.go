package mux

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/libp2p/go-yamux/v5"
)

const (
	// urgentBytes is how much a stream may send ahead of bulk, and urgentRate (bytes/s) how fast it earns that again.
	urgentBytes = 32 << 10
	urgentRate  = 64 << 10
	// lingerTime is how long a closed stream waits for the peer's end before it is reset.
	lingerTime = 60 * time.Second
)

// Stream is one of the session's streams. One goroutine may read and one write at a time; everything else may be called
// from any goroutine.
type Stream struct {
	s       *Session
	id      uint32
	starved bool // the budget had no room for it; set before the stream is handed out
	account account

	writer sync.Mutex // held through Write; guards ticket, level, wrote
	ticket ticket
	level  int // bytes sent lately, see urgent
	wrote  time.Time

	writeBy deadline

	mu      sync.Mutex
	y       *yamux.Stream // nil until opened or accepted
	credit  int           // bytes that the peer's window takes
	room    chan struct{} // one slot; made when a writer first waits
	cause   error         // why nothing can be written any more
	onEnd   func()
	acked   bool
	over    bool // ended in the library
	eof     bool // Read gave io.EOF
	shut    bool // closed for writing
	orphan  bool // closed here; the peer has not ended
	linger  *time.Timer
	removed bool // reset here
}

func newStream(s *Session, id uint32) *Stream {
	st := &Stream{s: s, id: id, credit: initialWindow}
	now := time.Now()
	st.account = account{window: initialWindow, last: now, heard: now}
	return st
}

// setLibrary ties the stream to the library's; false: it has ended already.
func (st *Stream) setLibrary(y *yamux.Stream) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.y = y
	return !st.removed && !(st.over && st.cause != nil)
}

// Starved tells that the memory limit had no room for this stream; its owner should refuse it.
func (st *Stream) Starved() bool { return st.starved }

// OnEnd calls f when the peer resets the stream or the session ends, at once if that has happened. f must not block.
func (st *Stream) OnEnd(f func()) {
	st.mu.Lock()
	dead := st.cause != nil
	st.onEnd = f
	st.mu.Unlock()
	if dead {
		f()
	}
}

// Read waits for bytes of the peer and takes all that are there and fit. io.EOF: the peer closed its direction in
// order; ErrReset: the stream was reset.
func (st *Stream) Read(b []byte) (int, error) {
	total := 0
	for {
		n, err := st.y.Read(b[total:])
		left := st.account.read(st.s.windows, n)
		total += n
		switch {
		case total == 0:
			return 0, st.readError(err)
		case n == 0 || left == 0 || total == len(b):
			return total, nil // an error comes again at the next Read
		}
		// There is more: a frame that has begun to arrive is whole in the TLS record below, so this does not wait for
		// the peer.
	}
}

// WaitReadable returns when Read would not wait. No buffer is needed meanwhile: an idle stream costs none.
func (st *Stream) WaitReadable() error {
	_, err := st.y.Read(nil)
	st.account.read(st.s.windows, 0)
	if err == io.EOF {
		return nil
	}
	return st.readError(err)
}

func (st *Stream) readError(err error) error {
	if err == io.EOF {
		st.mu.Lock()
		st.eof = true
		st.mu.Unlock()
	}
	return st.translate(err)
}

// Write waits until the peer's window and the session take all of b.
func (st *Stream) Write(b []byte) (int, error) { return st.writeUntil(context.Background(), b) }

func (st *Stream) writeUntil(ctx context.Context, b []byte) (int, error) {
	st.writer.Lock()
	defer st.writer.Unlock()
	total := 0
	for total < len(b) {
		n, err := st.writeFrame(ctx, b[total:])
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// writeFrame sends one frame: first the stream's own window, then the session's gate, so that a stream whose reader
// has stopped holds nothing that others need.
func (st *Stream) writeFrame(ctx context.Context, b []byte) (int, error) {
	n, err := st.awaitCredit(ctx, min(len(b), payloadSize))
	if err != nil {
		return 0, err
	}
	if err := st.pass(ctx, n); err != nil {
		return 0, err
	}
	sent, err := st.y.Write(b[:n])
	st.s.gate.leave(n - sent)
	st.mu.Lock()
	st.credit -= sent
	st.mu.Unlock()
	return sent, st.translate(err)
}

// awaitCredit waits until the peer's window takes something, and says how much of n.
func (st *Stream) awaitCredit(ctx context.Context, n int) (int, error) {
	for {
		if st.writeBy.passed() {
			return 0, os.ErrDeadlineExceeded
		}
		st.mu.Lock()
		err, credit := st.cause, st.credit
		if st.shut {
			err = net.ErrClosed
		}
		if st.room == nil && credit <= 0 {
			st.room = make(chan struct{}, 1)
		}
		room := st.room
		st.mu.Unlock()
		if err != nil || credit > 0 {
			return min(n, credit), err
		}
		select {
		case <-room:
		case <-st.writeBy.wait():
			return 0, os.ErrDeadlineExceeded
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// pass waits at the gate for n bytes.
func (st *Stream) pass(ctx context.Context, n int) error {
	if st.s.gate.enter(&st.ticket, n, st.urgent(n, time.Now())) {
		return nil
	}
	var err error
	select {
	case <-st.ticket.ready:
		return nil
	case <-st.writeBy.wait():
		err = os.ErrDeadlineExceeded
	case <-ctx.Done():
		err = ctx.Err()
	case <-st.s.Done():
		err = st.s.ended()
	}
	st.s.gate.cancel(&st.ticket)
	return err
}

// urgent tells whether n bytes go ahead of bulk: those of a stream that has sent little lately.
func (st *Stream) urgent(n int, now time.Time) bool {
	earned := now.Sub(st.wrote).Seconds() * urgentRate
	st.level = int(max(0, float64(st.level)-earned))
	st.wrote = now
	was := st.level
	st.level = min(st.level+n, 2*urgentBytes)
	return was < urgentBytes
}

// allow adds what the peer's window update grants.
func (st *Stream) allow(n int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.credit += n
	st.wake()
}

// wake lets a writer look again. Under mu.
func (st *Stream) wake() {
	if st.room == nil {
		return
	}
	select {
	case st.room <- struct{}{}:
	default:
	}
}

// die notes that nothing can be written any more, and why.
func (st *Stream) die(cause error) {
	st.mu.Lock()
	first := st.cause == nil
	if first {
		st.cause = cause
	}
	if st.room == nil {
		st.room = make(chan struct{}, 1)
	}
	st.wake()
	end := st.onEnd
	st.mu.Unlock()
	if first && end != nil {
		end()
	}
}

// arrived charges bytes that come in; false: they must be dropped and the stream reset, because it was closed here or
// because there is no memory.
func (st *Stream) arrived(n int) bool {
	st.mu.Lock()
	unwanted := st.orphan || st.removed
	st.mu.Unlock()
	if unwanted {
		return false
	}
	now := time.Now()
	if st.account.arrived(st.s.windows, n, now) {
		return true
	}
	st.s.windows.reclaim(now)
	return st.account.arrived(st.s.windows, n, now)
}

// acknowledged gives back the place among the streams that the peer has not yet accepted.
func (st *Stream) acknowledged() {
	st.mu.Lock()
	first := !st.acked
	st.acked = true
	st.mu.Unlock()
	if first && st.s.client {
		<-st.s.unacked
	}
}

// ended is called when the library has forgotten the stream, which may still hold bytes to read.
func (st *Stream) ended() {
	st.mu.Lock()
	st.over = true
	unowned := st.y == nil || st.orphan || st.removed
	if st.linger != nil {
		st.linger.Stop()
	}
	lost := isClosed(st.s.Done())
	st.mu.Unlock()
	st.account.settle(st.s.windows, st, unowned)
	if !st.starved {
		st.s.windows.give(streamCost)
	}
	if lost {
		st.die(st.s.ended())
	}
}
