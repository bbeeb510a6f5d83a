package linksim

import (
	"sync"
	"time"
)

// Timeline makes things happen at their time, and those of one instant in the order in which they were asked for.
type Timeline struct {
	mu     sync.Locker // guards everything here, and is held while things happen
	events Heap[event]
	seq    uint64
	timer  *time.Timer
	armed  time.Time // when timer fires; zero: not armed
}

// NewTimeline makes an empty timeline under the lock of what it moves.
func NewTimeline(mu sync.Locker) *Timeline { return &Timeline{mu: mu} }

// event is something that will happen.
type event struct {
	at  time.Time
	seq uint64
	do  func(now time.Time)
}

// Before orders events by their time.
func (e event) Before(other event) bool {
	if e.at.Equal(other.at) {
		return e.seq < other.seq
	}
	return e.at.Before(other.at)
}

// At makes do happen at t, or at once when that has passed; the lock is held now and then.
func (l *Timeline) At(t time.Time, do func(now time.Time)) {
	l.seq++
	l.events.Push(event{t, l.seq, do})
	l.arm()
}

// arm sets the timer to the first event.
func (l *Timeline) arm() {
	if len(l.events) == 0 {
		return
	}
	first := l.events[0].at
	if !l.armed.IsZero() && !first.Before(l.armed) {
		return
	}
	l.armed = first
	// Go 1.26 crashes in a bubble, with the race detector, when a timer is set to a time that has come.
	wait := max(time.Until(first), 1)
	if l.timer == nil {
		l.timer = time.AfterFunc(wait, l.tick)
	} else {
		l.timer.Reset(wait)
	}
}

// tick runs what is due.
func (l *Timeline) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = time.Time{}
	for now := time.Now(); len(l.events) > 0 && !l.events[0].at.After(now); {
		l.events.Pop().do(now)
	}
	l.arm()
}
