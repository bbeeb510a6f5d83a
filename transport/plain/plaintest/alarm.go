package plaintest

import "time"

// alarm is a timer that is set far more often than it fires: it moves by a field, and one event is outstanding.
type alarm struct {
	at      time.Time // zero: not set
	waiting time.Time // when the outstanding event comes; zero: none is
	ring    func(now time.Time)
}

// set moves the alarm; the zero time turns it off. n.mu is held.
func (a *alarm) set(n *Network, at time.Time) {
	a.at = at
	if !at.IsZero() && (a.waiting.IsZero() || at.Before(a.waiting)) {
		a.wait(n)
	}
}

func (a *alarm) wait(n *Network) {
	at := a.at
	a.waiting = at
	n.timeline.At(at, func(now time.Time) {
		if !a.waiting.Equal(at) {
			return // an earlier event has taken its place
		}
		a.waiting = time.Time{}
		switch {
		case a.at.IsZero():
		case a.at.After(now):
			a.wait(n)
		default:
			a.at = time.Time{}
			a.ring(now)
		}
	})
}
