package uplink

import (
	"context"
	"sync"
	"time"
)

// ask starts every lookup that is due, one at most per uplink and name, and returns when the next will be.
func (t *Targets) ask(ctx context.Context, lookups *sync.WaitGroup) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	next := now.Add(answerLife)
	for _, w := range t.ways {
		if !w.uplink.Usable() {
			continue
		}
		for _, target := range t.targets {
			if target.ip.IsValid() {
				continue
			}
			a := w.answer(target.name)
			switch {
			case a.cancel != nil:
			case a.due.After(now):
				next = earlier(next, a.due)
			default:
				t.lookup(ctx, lookups, w.uplink, target.name, a)
			}
		}
	}
	return next
}

// lookup resolves one name through one uplink in a goroutine of its own: the resolver blocks. Its result counts only
// if nothing has cancelled it, which means that the uplink has changed since.
func (t *Targets) lookup(ctx context.Context, lookups *sync.WaitGroup, u Uplink, name string, a *answer) {
	ctx, cancel := context.WithCancel(ctx)
	a.cancel = cancel
	lookups.Go(func() {
		defer cancel()
		ips, err := t.cfg.Lookup(ctx, u, families(u), name)
		t.mu.Lock()
		if ctx.Err() != nil {
			a.cancel = nil
		} else {
			a.finish(time.Now(), ips, err)
		}
		t.mu.Unlock()
		t.update()
	})
}

// families is the network argument of a lookup for what an uplink can use.
func families(u Uplink) string {
	switch {
	case len(u.V6) == 0:
		return "ip4"
	case len(u.V4) == 0:
		return "ip6"
	default:
		return "ip"
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
