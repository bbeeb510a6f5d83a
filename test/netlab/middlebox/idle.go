package middlebox

import (
	"time"

	"hawser/test/netlab"
)

// An IdleTimeout forgets connections through which nothing has passed for a time, and stops what comes later.
//
// What it stands for: NATs and stateful firewalls, many of which forget idle TCP connections after minutes and tell
// nobody (RFC 5382 REQ-5 asks for 2 h 4 min; mobile networks often give less than 5 min).
//
// A SYN makes a connection known, in either direction. Segments of connections that are not known do not pass.
type IdleTimeout struct {
	After  time.Duration
	Refuse bool // answer what is stopped with a reset; else it is dropped without a word

	seen map[flow]time.Time // when something passed last, by the direction of the first SYN
	counter
}

// Ahead implements Box. Both directions do the same.
func (i *IdleTimeout) Ahead() netlab.Stage { return half(i.handle) }

// Back implements Box.
func (i *IdleTimeout) Back() netlab.Stage { return half(i.handle) }

func (i *IdleTimeout) handle(now time.Time, s *segment, frame []byte, out netlab.Output) {
	if i.pass(now, s) {
		out.Forward(frame)
		return
	}
	i.acted(1)
	if i.Refuse && !s.has(flagRST) {
		refusal := s.refusal()
		out.Return(refusal.frame())
	}
}

// pass decides on a segment and notes that it has passed.
func (i *IdleTimeout) pass(now time.Time, s *segment) bool {
	key := s.flow()
	if _, ok := i.seen[key]; !ok {
		if _, ok := i.seen[key.reverse()]; ok {
			key = key.reverse()
		}
	}
	last, known := i.seen[key]
	if known && now.Sub(last) > i.After {
		known = false
		delete(i.seen, key)
	}
	if !known && (!s.has(flagSYN) || s.has(flagACK)) {
		return false
	}
	if i.seen == nil {
		i.seen = map[flow]time.Time{}
	}
	i.seen[key] = now
	return true
}

// Forget makes the box forget every connection now, as a restart does. Call it within netlab.Link.Sync.
func (i *IdleTimeout) Forget() { clear(i.seen) }
