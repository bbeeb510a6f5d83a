package uplink

import (
	"sync"
	"time"
)

// Board holds what all sessions of this process together know about each uplink: up to 16 sessions share one, and an
// idle session must neither schedule on stale facts nor find out for itself that an uplink has died.
//
// It is safe for concurrent use. Loops publish as they go and read a snapshot (Entry.Facts) once a turn.
type Board struct {
	mu      sync.Mutex
	entries map[Key]*Entry
}

// Key names an uplink towards one peer. On a server, Peer is the client's process and Uplink its address id.
type Key struct {
	Uplink string
	Peer   string
}

// maxEntries bounds the board of a server whose clients come and go; unused entries beyond it are dropped.
const maxEntries = 4096

// NewBoard makes an empty board.
func NewBoard() *Board { return &Board{entries: make(map[Key]*Entry)} }

// Acquire returns the entry of k, made when there is none, and counts one user. Every Acquire needs a Release.
func (b *Board) Acquire(k Key) *Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[k]
	if e == nil {
		b.evict()
		e = newEntry(k)
		b.entries[k] = e
	}
	e.users++
	return e
}

// Release ends one use of e. Its facts stay, for the next session on the same uplink.
func (b *Board) Release(e *Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e.users--
}

// evict makes room when the board is full. Called with the lock held.
func (b *Board) evict() {
	if len(b.entries) < maxEntries {
		return
	}
	for k, e := range b.entries {
		if e.users == 0 {
			delete(b.entries, k)
		}
	}
}

// Facts returns a snapshot of every entry, in no order.
func (b *Board) Facts(now time.Time) map[Key]Facts {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make(map[Key]Facts, len(b.entries))
	for k, e := range b.entries {
		all[k] = e.Facts(now)
	}
	return all
}
