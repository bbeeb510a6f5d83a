package uplink

import (
	"maps"
	"slices"
	"sync"
)

// watchers is a list of functions to call on a change. The zero value is empty. Safe for concurrent use.
type watchers struct {
	mu   sync.Mutex
	next int
	fns  map[int]func()
}

// add enters fn and returns how to take it out again.
func (w *watchers) add(fn func()) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fns == nil {
		w.fns = make(map[int]func())
	}
	id := w.next
	w.next++
	w.fns[id] = fn
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.fns, id)
	}
}

// call runs every function, in the order of their entry, with no lock held.
func (w *watchers) call() {
	w.mu.Lock()
	fns := maps.Clone(w.fns)
	w.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(fns)) {
		fns[id]()
	}
}
