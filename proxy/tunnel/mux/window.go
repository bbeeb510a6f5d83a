package mux

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Budget is the process's hard limit on receive memory. Both methods may be called from any goroutine and never block.
type Budget interface {
	// Reserve takes n bytes, all or nothing.
	Reserve(n int) bool
	// Release gives n bytes back.
	Release(n int)
}

const (
	// DefaultMaxWindow is how far one stream's receive window grows, bytes. Updates come when half a window has been
	// read, so a line needs twice its rate times its round trip: 300 Mbit/s × 250 ms are 18.8 MB, and 3 Gbit/s fit up
	// to a round trip of 33 ms.
	DefaultMaxWindow = 24 << 20
	// growHorizon is the time in which half a window must have been read for the window to double. A stream that is
	// held back by its window uses it up once in a round trip, so windows grow for round trips (queues and reassembly
	// included) of up to this; all windows together then stay within some 2 s of what the line carries.
	growHorizon = time.Second
	// quietAfter is how long a stream with a grown window must have been silent before its reservation may be taken
	// back for others.
	quietAfter = 2 * time.Second
	// smallFrame is the payload below which what the library keeps beside it counts too, and frameCost is that, bytes.
	smallFrame = 512
	frameCost  = 64
)

var errNoGrowth = errors.New("mux: window stays")

// Windows is the receive memory of all streams of a process under one Budget. A stream is charged the larger of what
// has been reserved for it and what it holds unread:
//
//   - the first 256 kB that the specification of yamux grants to every stream are charged as they arrive, since 10,000
//     idle streams must not cost 2.5 GB; a stream whose bytes do not fit is reset, and it alone;
//   - beyond that a window is reserved before it is advertised, and when the budget is used up it does not grow;
//   - a small frame is charged what the library keeps beside its bytes as well, so that frames of one byte cannot cost
//     many times the limit;
//   - a grown window that has been quiet for some seconds is charged as bytes arrive again, when others need the room.
type Windows struct {
	budget Budget // nil: no limit
	limit  int64  // of the budget for all streams together; 0: all of it
	used   atomic.Int64

	mu    sync.Mutex
	grown map[*Stream]struct{} // streams with a reservation
}

// NewWindows makes the account. A nil budget is no limit. limit is how many bytes of the budget all streams together may
// take, so that something is left for the connections below; 0: all of it.
func NewWindows(b Budget, limit int) *Windows {
	return &Windows{budget: b, limit: int64(limit), grown: make(map[*Stream]struct{})}
}

func (w *Windows) take(n int) bool {
	if n <= 0 {
		return true
	}
	if w.used.Add(int64(n)) > w.limit && w.limit > 0 || w.budget != nil && !w.budget.Reserve(n) {
		w.used.Add(-int64(n))
		return false
	}
	return true
}

func (w *Windows) give(n int) {
	if n <= 0 {
		return
	}
	w.used.Add(-int64(n))
	if w.budget != nil {
		w.budget.Release(n)
	}
}

// reclaim makes quiet streams give back what was reserved for them.
func (w *Windows) reclaim(now time.Time) {
	w.mu.Lock()
	grown := make([]*Stream, 0, len(w.grown))
	for st := range w.grown {
		grown = append(grown, st)
	}
	w.mu.Unlock()
	for _, st := range grown {
		st.account.giveBack(w, st, now)
	}
}

func (w *Windows) note(st *Stream, grown bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if grown {
		w.grown[st] = struct{}{}
	} else {
		delete(w.grown, st)
	}
}

// account is what one stream is charged: see charge.
type account struct {
	mu       sync.Mutex
	window   int // what the peer may have under way or here, bytes
	reserved int // of it charged ahead
	unread   int // arrived and not read
	beside   int // what small frames among the unread cost beside their bytes
	closed   bool
	last     time.Time // when half a window was last used up
	heard    time.Time // when bytes last arrived

	consumed int64 // read so far
	updated  int64 // of it when the library last sent an update
	growing  bool  // the library is enlarging the window, in the call of Read that is under way
	lost     int64 // bytes that the library takes and has forgotten to grant: see grant
}

// held is what is here, and charge is what the stream is charged. Under mu.
func (a *account) held() int   { return a.unread + a.beside }
func (a *account) charge() int { return max(a.reserved, a.held()) }

// arrived charges n bytes that are about to be buffered; false: the budget is used up, and nothing was charged.
func (a *account) arrived(w *Windows, n int, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.heard = now
	beside := 0
	if n < smallFrame {
		beside = frameCost
	}
	if !w.take(max(a.reserved, a.held()+n+beside) - a.charge()) {
		return false
	}
	a.unread += n
	a.beside += beside
	return true
}

// read takes the n bytes that a call of the library's Read returned, 0 included, out of the account and tells how many
// are left.
func (a *account) read(w *Windows, n int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.consumed += int64(n)
	switch fresh := a.consumed - a.updated; {
	case a.growing:
		a.lost += fresh
		a.updated, a.growing = a.consumed, false
	case fresh >= int64(a.window/2): // the library's rule for an update
		a.updated = a.consumed
	}
	if a.closed {
		return 0
	}
	before := a.charge()
	if a.unread > 0 {
		a.beside -= a.beside * n / a.unread // which frames it were is not known
	}
	a.unread -= n
	w.give(before - a.charge())
	return a.unread
}

// grow answers the library's wish to enlarge the window by n bytes, which comes each time half of it has been read.
// The library's own rule compares with a round trip time measured by ping, which says little when bytes wait for others
// on slower uplinks; here the time that it took to use up half the window decides.
func (a *account) grow(w *Windows, st *Stream, n int, now time.Time) error {
	a.mu.Lock()
	took := now.Sub(a.last)
	a.last = now
	target := a.window + n
	more := target - a.charge()
	shut := a.closed
	a.mu.Unlock()
	if shut || took > growHorizon {
		return errNoGrowth
	}
	if !w.take(more) {
		w.reclaim(now)
		if !w.take(more) {
			return errNoGrowth
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		w.give(more)
		return errNoGrowth
	}
	// Bytes came or went while the lock was free: what was taken is corrected to what is charged now.
	fix := max(target, a.held()) - a.charge() - max(0, more)
	if fix > 0 && !w.take(fix) {
		w.give(more)
		return errNoGrowth
	}
	w.give(-fix)
	a.heard = now // it has just been read from: not quiet
	a.window, a.reserved, a.growing = target, target, true
	w.note(st, true)
	return nil
}

// grant takes note of an update of n bytes that is about to be sent, and gives the number to send instead. When the
// library (v5.1.0) doubles a window, its update holds the enlargement and forgets what had been read since the update
// before, so that windows would stay at half their size. The library does take those bytes; they are granted with
// whichever update leaves next, which may be one that was queued before the enlargement: what was granted never passes
// what the library takes, in whatever order updates and enlargements meet.
func (a *account) grant(n int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n += int(a.lost)
	a.lost = 0
	return n
}

// giveBack ends the reservation of a stream that has been quiet; what it holds unread stays charged.
func (a *account) giveBack(w *Windows, st *Stream, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.reserved == 0 || now.Sub(a.heard) < quietAfter {
		return
	}
	w.give(a.charge() - a.held())
	a.reserved = 0
	w.note(st, false)
}

// settle ends the reservation because no more bytes can come; close also forgets what is unread, because nobody will
// read it.
func (a *account) settle(w *Windows, st *Stream, closed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	if a.reserved > 0 {
		w.note(st, false)
	}
	w.give(a.charge() - a.held())
	a.reserved = 0
	if closed {
		w.give(a.held())
		a.unread, a.beside, a.closed = 0, 0, true
	}
}

// hasUnread tells how many bytes can be read without waiting.
func (a *account) hasUnread() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unread
}
