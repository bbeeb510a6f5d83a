package rawtcp

import (
	"sync"
	"time"
)

// deadline is that of Read or Write: when it passes, those who wait on cond look again. The lock of cond guards it.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

// set changes the deadline; the zero time is none. cond.L is held.
func (d *deadline) set(at time.Time, cond *sync.Cond) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if !at.IsZero() {
		d.timer = time.AfterFunc(time.Until(at), func() {
			cond.L.Lock() // so that nobody is between looking at the clock and waiting
			defer cond.L.Unlock()
			cond.Broadcast()
		})
	}
	cond.Broadcast()
}

// passed says whether it is over.
func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }
