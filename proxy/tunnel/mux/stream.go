package mux

import (
	"context"
	"fmt"
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
	account account
	notice  notice // under s.notices.mu

	writer sync.Mutex // held through Write; guards ticket, level, wrote
	ticket ticket
	level  int // bytes sent lately, see urgent
	wrote  time.Time

	writeBy deadline

	mu      sync.Mutex
	y       *yamux.Stream // nil until opened or accepted
	credit  int           // bytes that the peer's window takes, as cost counts them
	library int           // and those that the library believes in, which are more
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
	return &Stream{
		s: s, id: id, credit: minWindow, library: initialWindow, account: newAccount(s.maxWindow, time.Now()),
	}
}

// setLibrary ties the stream to the library's; false: it has ended already.
func (st *Stream) setLibrary(y *yamux.Stream) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.y = y
	return !st.removed && !(st.over && st.cause != nil)
}

// Starved tells that the memory limit had no room for this stream; its owner should refuse it. It can be written to, and
// nothing that arrives on it is kept.
func (st *Stream) Starved() bool { return st.account.starved }

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
		left, grant := st.account.read(st.s.windows, st, n, time.Now())
		st.announce(grant)
		total += n
		switch {
		case total == 0:
			return 0, st.readError(err)
		case n == 0 || left == 0 || total == len(b):
			return total, nil // an error comes again at the next Read
		}
		// There is more, and it is here: a frame of which a part is still on its way does not count, so this does not wait
		// for the peer.
	}
}

// Unread is how many bytes Read has without waiting for the peer.
func (st *Stream) Unread() int { return st.account.readable() }

// WaitReadable returns when Read would not wait. No buffer is needed meanwhile: an idle stream costs none.
func (st *Stream) WaitReadable() error {
	_, err := st.y.Read(nil)
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
		st.unspend(n)
		return 0, err
	}
	sent, err := st.y.Write(b[:n]) // all of it or nothing: one frame, for which the library has window enough
	if sent == 0 {
		st.s.gate.leave(n)
		st.unspend(n)
	}
	return sent, st.translate(err)
}

// unspend gives back the window for a frame of n bytes that did not leave.
func (st *Stream) unspend(n int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.credit += cost(n)
	st.library += n
}

// spend takes window for a frame of at most n bytes, and says how many it is; 0: there is none. Under mu.
func (st *Stream) spend(n int) int {
	n = min(n, st.credit)
	if cost(n) > st.credit {
		n = st.credit - frameCost
	}
	n = max(n, 0)
	st.credit -= cost(n)
	st.library -= n
	return n
}

// awaitCredit waits until the peer's window takes something, and takes as much of n as it says.
func (st *Stream) awaitCredit(ctx context.Context, n int) (int, error) {
	for {
		if st.writeBy.passed() {
			return 0, os.ErrDeadlineExceeded
		}
		st.mu.Lock()
		err, taken := st.cause, 0
		if st.shut {
			err = net.ErrClosed
		}
		if err == nil {
			taken = st.spend(n)
		}
		if st.room == nil && taken == 0 {
			st.room = make(chan struct{}, 1)
		}
		room := st.room
		st.mu.Unlock()
		if err != nil || taken > 0 {
			return taken, err
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

// libraryShare is what the library is told of an update of n bytes. It counts neither cost nor what is given back, so it
// is kept ahead of credit by far, and not told everything.
func (st *Stream) libraryShare(n int) int {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.library >= st.credit+n+maxGrant {
		return 0
	}
	share := n + 2*maxGrant
	st.library += share
	return share
}

// giveBack answers a recall: what the peer's window takes beyond minWindow is not wanted.
func (st *Stream) giveBack() {
	st.mu.Lock()
	unused := max(0, st.credit-minWindow)
	st.credit -= unused
	st.mu.Unlock()
	st.s.post(st, func(n *notice) { n.answer, n.returned = true, n.returned+unused })
}

// announce tells the peer that it may send more.
func (st *Stream) announce(grant int) {
	if grant > 0 {
		st.s.post(st, func(n *notice) { n.grant += grant })
	}
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

// arrived takes in a frame with bytes; skip: they must be dropped, and if the stream was closed here it is reset.
func (st *Stream) arrived(h header) (skip bool, err error) {
	st.mu.Lock()
	unwanted := st.orphan || st.removed
	st.mu.Unlock()
	dropped := unwanted
	if !dropped {
		dropped, err = st.account.arrived(int(h.length), time.Now())
	}
	switch {
	case err != nil || !dropped:
		return false, err
	case h.flags.has(flagSYN): // the library must get the frame
		return false, fmt.Errorf("mux: %w for data in a stream's first frame", ErrMemory)
	case !st.account.starved:
		st.Reset()
	}
	return true, nil
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
	if !st.account.starved {
		st.s.windows.leave()
	}
	if lost {
		st.die(st.s.ended())
	}
}
