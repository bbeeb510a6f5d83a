package uplink

import (
	"context"
	"net/netip"
	"time"
)

const (
	// answerLife is how long the addresses of a name are used before it is resolved again: the resolver does not tell
	// their time to live, and a server that moves is noticed by failing connections too.
	answerLife = 5 * time.Minute
	// retryFirst and retryMost bound the pause after a failure, which doubles.
	retryFirst = time.Second
	retryMost  = 30 * time.Second
	// retryUnreached is the least time between lookups that failing connections ask for.
	retryUnreached = 10 * time.Second
)

// answer is what is known of one name over one uplink.
type answer struct {
	addrs    []netip.Addr       // the last good ones
	err      error              // of the last lookup; nil: it succeeded, or there was none
	failures int                // in a row
	asked    time.Time          // when the last lookup ended
	due      time.Time          // when to ask next; zero: at once
	cancel   context.CancelFunc // ends the lookup that is under way; nil: there is none
}

// renew asks at once, because the uplink is not what it was: what is under way would answer for the old one.
func (a *answer) renew() {
	a.due, a.failures, a.err = time.Time{}, 0, nil
	if a.cancel != nil {
		a.cancel()
	}
}

// doubt asks soon, because none of the addresses can be reached.
func (a *answer) doubt() {
	if again := a.asked.Add(retryUnreached); again.Before(a.due) {
		a.due = again
	}
}

// finish takes in the result of a lookup. Failing keeps the last good addresses.
func (a *answer) finish(now time.Time, addrs []netip.Addr, err error) {
	a.cancel, a.asked, a.err = nil, now, err
	if err != nil {
		a.due = now.Add(min(retryMost, retryFirst<<min(a.failures, 10)))
		a.failures++
		return
	}
	a.addrs, a.failures, a.due = addrs, 0, now.Add(answerLife)
}
