package link

import (
	"context"
	"sync"
)

// gate is open or shut; whoever comes to a shut one waits.
type gate struct {
	mu   sync.Mutex
	shut chan struct{} // closed by open; nil: the gate is open
}

// pass returns when the gate is open, or with the error of ctx.
func (g *gate) pass(ctx context.Context) error {
	for {
		g.mu.Lock()
		shut := g.shut
		g.mu.Unlock()
		if shut == nil {
			return ctx.Err()
		}
		select {
		case <-shut:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// set opens or shuts the gate.
func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case open && g.shut != nil:
		close(g.shut)
		g.shut = nil
	case !open && g.shut == nil:
		g.shut = make(chan struct{})
	}
}
