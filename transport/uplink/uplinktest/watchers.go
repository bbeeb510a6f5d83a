package uplinktest

import "sync"

// watchers is a list of functions to call on a change.
type watchers struct {
	mu  sync.Mutex
	fns []*func()
}

func (w *watchers) add(fn func()) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := &fn
	w.fns = append(w.fns, entry)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		var rest []*func()
		for _, e := range w.fns {
			if e != entry {
				rest = append(rest, e)
			}
		}
		w.fns = rest
	}
}

func (w *watchers) call() {
	w.mu.Lock()
	fns := w.fns[:len(w.fns):len(w.fns)]
	w.mu.Unlock()
	for _, fn := range fns {
		(*fn)()
	}
}
