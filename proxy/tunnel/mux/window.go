package mux

import (
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
	// quietAfter is how long nothing must have come on a stream before its window is called back for others: more than
	// the round trip of a line in good order, so that it hits streams that have nothing to send.
	quietAfter = 250 * time.Millisecond
	// sweepEvery is the least time between two looks for quiet streams.
	sweepEvery = 50 * time.Millisecond
	// openingShare is the part of the room that is left which a stream's first window takes at most.
	openingShare = 1.0 / 64
)

// Windows is the receive memory of all streams of a process under one Budget. Whatever a peer may send is reserved
// before it is allowed, so bytes that arrive always have their room and no stream is ever ended for want of memory.
// What runs short is refused in this order:
//
//   - growth: windows above minWindow leave an eighth of the limit alone, and beyond half of the limit quiet streams
//     are asked to give back what they were allowed and do not use;
//   - then the size of streams that move much: none keeps more than its even share;
//   - then new streams. Each that is open has its minWindow for as long as it lives.
type Windows struct {
	budget  Budget // nil: no limit
	limit   int64  // of the budget for all streams together; 0: all of it
	used    atomic.Int64
	streams atomic.Int64

	sweeping atomic.Bool

	mu    sync.Mutex
	grown map[*Stream]struct{} // streams whose window is above minWindow
	swept time.Time
}

// NewWindows makes the account. A nil budget is no limit. limit is how many bytes of the budget all streams together may
// take, so that something is left for the connections below; 0: all of it, and then nothing is kept back for new streams.
func NewWindows(b Budget, limit int) *Windows {
	return &Windows{budget: b, limit: int64(limit), grown: make(map[*Stream]struct{})}
}

// growLimit is how much all may take while any window is above minWindow.
func (w *Windows) growLimit() int64 { return w.limit - w.limit/8 }

// admit takes the room of one more stream; false: there is none.
func (w *Windows) admit() bool {
	ok := w.take(streamCost+minWindow, w.limit)
	w.relieve(ok)
	if ok {
		w.streams.Add(1)
	}
	return ok
}

// leave gives back what admit took, but for the window, which the stream's account gives back.
func (w *Windows) leave() {
	w.streams.Add(-1)
	w.give(streamCost)
}

// dismiss gives back all that admit took, of a stream that never came to be.
func (w *Windows) dismiss() {
	w.leave()
	w.give(minWindow)
}

// grow takes n bytes for a window above minWindow.
func (w *Windows) grow(n int) bool {
	ok := w.take(n, w.growLimit())
	w.relieve(ok)
	return ok
}

// relieve has windows called back when somebody found no room, and ahead of that.
func (w *Windows) relieve(found bool) {
	if !found || w.limit > 0 && w.used.Load() > w.limit/2 {
		w.callBack()
	}
}

func (w *Windows) take(n int, limit int64) bool {
	if n <= 0 {
		return true
	}
	for {
		// Not added and taken back: a window of megabytes that finds no room would refuse streams in between.
		used := w.used.Load()
		if w.limit > 0 && used+int64(n) > limit {
			return false
		}
		if w.used.CompareAndSwap(used, used+int64(n)) {
			break
		}
	}
	if w.budget != nil && !w.budget.Reserve(n) {
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

// first is the window of a stream that begins, or begins again: the usual one while there is plenty of room, and less
// and less of what is left, so that it lasts for many.
func (w *Windows) first() int {
	if w.limit == 0 {
		return initialWindow
	}
	left := float64(w.growLimit() - w.used.Load())
	return min(max(minWindow, int(left*openingShare)), initialWindow)
}

// fair is what each stream may keep now: no limit until little is left for growth, then an even share of it.
func (w *Windows) fair() int {
	if w.limit == 0 || w.used.Load() < w.growLimit()*15/16 {
		return int(^uint(0) >> 1)
	}
	return max(minWindow, int(w.growLimit()/max(1, w.streams.Load()))-streamCost)
}

// callBack has quiet streams asked for what they do not use. It does not wait.
func (w *Windows) callBack() {
	if !w.sweeping.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer w.sweeping.Store(false)
		w.sweep(time.Now())
	}()
}

// sweep asks quiet streams for what they do not use.
func (w *Windows) sweep(now time.Time) {
	w.mu.Lock()
	if now.Sub(w.swept) < sweepEvery {
		w.mu.Unlock()
		return
	}
	w.swept = now
	grown := make([]*Stream, 0, len(w.grown))
	for st := range w.grown {
		grown = append(grown, st)
	}
	w.mu.Unlock()
	for _, st := range grown {
		if st.account.callBack(w, st, now) {
			st.s.post(st, func(n *notice) { n.recall = true })
		}
	}
}

// note keeps the list of streams whose window is above minWindow.
func (w *Windows) note(st *Stream, grown bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if grown {
		w.grown[st] = struct{}{}
	} else {
		delete(w.grown, st)
	}
}
