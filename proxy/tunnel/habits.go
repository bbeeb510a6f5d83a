package tunnel

import (
	"sync"
	"time"
)

const (
	maxHabits = 512              // targets that are remembered
	habitTime = 10 * time.Minute // for how long after the last bulk
	bulkHabit = 0.5              // share from which the next stream is expected to be bulk
	// Each stream that becomes bulk takes a target's share half of the way to 1, and each that ends without takes a
	// quarter of it: one small stream after one download, and small ones are expected again.
	learnBulk  = 0.5
	learnSmall = 0.25
)

// habits remember which targets have streams that become bulk. Programs that download over many connections make them
// to one target, and all but the first can be told from small requests to others before they have moved a byte.
// The zero value is ready.
type habits struct {
	mu  sync.Mutex
	of  map[Target]*habit
	off bool // nothing is expected of anybody
}

type habit struct {
	share float64 // of streams that become bulk, the late ones counted more
	bulk  time.Time
}

// expectsBulk tells whether the next stream to t will probably be bulk.
func (h *habits) expectsBulk(t Target, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.of[t]
	return one != nil && !h.off && one.share >= bulkHabit && now.Sub(one.bulk) < habitTime
}

// becameBulk notes that a stream to t has become bulk.
func (h *habits) becameBulk(t Target, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.of[t]
	if one == nil {
		h.makeRoom(now)
		one = new(habit)
		h.of[t] = one
	}
	one.share += (1 - one.share) * learnBulk
	one.bulk = now
}

// stayedSmall notes that a stream to t has ended and was never bulk.
func (h *habits) stayedSmall(t Target) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if one := h.of[t]; one != nil {
		one.share -= one.share * learnSmall
	}
}

// makeRoom drops what is too old, or else the oldest. Under mu.
func (h *habits) makeRoom(now time.Time) {
	if h.of == nil {
		h.of = make(map[Target]*habit)
	}
	if len(h.of) < maxHabits {
		return
	}
	var oldest Target
	var at time.Time
	for t, one := range h.of {
		if now.Sub(one.bulk) >= habitTime {
			delete(h.of, t)
		} else if at.IsZero() || one.bulk.Before(at) {
			oldest, at = t, one.bulk
		}
	}
	if len(h.of) >= maxHabits {
		delete(h.of, oldest)
	}
}
