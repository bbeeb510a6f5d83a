package mux

import (
	"fmt"
	"sync"
	"time"
)

const (
	// minWindow is the window that each side of a stream has from its first frame on and keeps for as long as it lives,
	// bytes. A request fits; the rest comes with the frame that opens or accepts the stream.
	minWindow = 4 << 10
	// A frame with less than smallFrame bytes counts frameCost bytes more, on both sides: what a receiver keeps beside
	// them. Frames of one byte could otherwise cost many times the window.
	smallFrame = 512
	frameCost  = 64
)

// cost is what a data frame of n bytes takes of a window.
func cost(n int) int {
	switch {
	case n == 0:
		return 0
	case n < smallFrame:
		return n + frameCost
	}
	return n
}

// account is the receive window of one stream: reserved as a whole, however much of it is in use.
type account struct {
	mu       sync.Mutex
	window   int // reserved, bytes; never less than promised + unread + beside
	most     int // that the window grows to
	promised int // what the peer may still send
	unread   int // arrived and not read, from the header of their frame on
	coming   int // of these: of a frame that has not yet arrived whole, and cannot be read
	beside   int // what small frames among the unread cost beside their bytes

	last    time.Time // when the peer was last allowed more
	heard   time.Time // when bytes last arrived
	recall  bool      // the peer was asked to give back what it does not use
	ended   bool      // no more bytes can come
	closed  bool      // and nobody will read those that came
	starved bool      // nothing is reserved, and nothing kept
}

func newAccount(most int, now time.Time) account {
	return account{window: minWindow, most: most, promised: minWindow, last: now, heard: now}
}

// held is what is in use or promised. Under mu.
func (a *account) held() int { return a.promised + a.unread + a.beside }

// begin gives what the frame that opens or accepts the stream allows beyond minWindow.
func (a *account) begin(w *Windows, st *Stream) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || a.starved {
		return 0
	}
	a.resize(w, st, w.first())
	a.heard = time.Now() // before this frame the peer does not know the stream, and is asked for nothing
	more := a.window - a.held()
	a.promised += more
	return more
}

// resize makes the window larger, if there is room, or smaller. Under mu.
func (a *account) resize(w *Windows, st *Stream, size int) {
	size = max(size, a.held())
	if !a.ended {
		size = max(size, minWindow)
	}
	was := a.window
	if size > was && !w.grow(size-was) {
		return
	}
	w.give(was - size) // nothing when it grew
	a.window = size
	if before := was > minWindow; before != (a.window > minWindow) {
		w.note(st, !before)
	}
}

// arrived takes in a frame of n bytes. An error: the peer was not allowed to send it. dropped: nobody will read it.
func (a *account) arrived(n int, now time.Time) (dropped bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.starved {
		return true, nil
	}
	c := cost(n)
	if c > a.promised {
		return false, fmt.Errorf("mux: %w: a frame that takes %d bytes of a window of %d", ErrProtocol, c, a.promised)
	}
	if now.Sub(a.heard) > quietAfter { // after a pause the time counts from here
		a.last = now
	}
	a.heard = now
	a.promised -= c
	a.unread += n
	a.beside += c - n
	a.coming = n
	return false, nil
}

// whole takes note that the frame under way has arrived.
func (a *account) whole() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.coming = 0
}

// read takes the n bytes that a call of the library's Read returned, 0 included, out of the account. It tells how many
// can be read at once, and how much more the peer may send from now on.
func (a *account) read(w *Windows, st *Stream, n int, now time.Time) (left, grant int) {
	if n == 0 {
		return a.readable(), 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return 0, 0
	}
	if a.unread > 0 {
		a.beside -= a.beside * n / a.unread // which frames it were is not known
	}
	a.unread -= n
	if a.ended {
		a.resize(w, st, 0)
		return a.unread - a.coming, 0
	}
	return a.unread - a.coming, a.allow(w, st, now)
}

// allow gives what the peer may send when half of the window is free, after a look at its size. Under mu.
func (a *account) allow(w *Windows, st *Stream, now time.Time) int {
	if a.ended || 2*(a.window-a.held()) < a.window {
		return 0
	}
	size := a.window
	if now.Sub(a.last) <= growHorizon {
		size = min(2*size, a.most)
	}
	a.last = now
	a.resize(w, st, min(max(size, w.first()), w.fair()))
	more := a.window - a.held()
	a.promised += more
	return more
}

// callBack gives back what is free of a window that has been quiet, and tells whether to ask the peer for what it does
// not use.
func (a *account) callBack(w *Windows, st *Stream, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || a.recall || now.Sub(a.heard) < quietAfter {
		return false
	}
	a.resize(w, st, minWindow)
	a.recall = a.promised > minWindow
	return a.recall
}

// returned takes in what the peer gave back; grant is what it may send again.
func (a *account) returned(w *Windows, st *Stream, n int, now time.Time) (grant int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || a.starved {
		return 0, nil
	}
	if n > a.promised || !a.recall {
		return 0, fmt.Errorf("mux: %w: %d bytes of a window of %d given back", ErrProtocol, n, a.promised)
	}
	a.recall = false
	a.promised -= n
	a.resize(w, st, minWindow)
	if 2*(a.window-a.held()) < a.window {
		return 0, nil
	}
	grant = a.window - a.held()
	a.promised += grant
	a.last = now
	return grant, nil
}

// settle ends the window because no more bytes can come; close also forgets what is unread, because nobody will read
// it.
func (a *account) settle(w *Windows, st *Stream, closed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.starved {
		return
	}
	a.ended, a.promised = true, 0
	if closed {
		a.unread, a.coming, a.beside, a.closed = 0, 0, 0, true
	}
	a.resize(w, st, 0)
}

// readable tells how many bytes can be read without waiting for the peer.
func (a *account) readable() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unread - a.coming
}

// hasUnread tells how many bytes have been sent and not been read.
func (a *account) hasUnread() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unread
}
