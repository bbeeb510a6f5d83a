package mptcp

import (
	"sync"
	"time"

	"hawser/transport"
)

// unprovedDelay is how much later than the others an uplink enters the race of first handshakes, for each time in a row
// that it has won the race and nobody proved to be the server. unprovedMost bounds how often counts.
const (
	unprovedDelay = time.Second
	unprovedMost  = 4
)

// unproved remembers the uplinks by which a Dialer reached something that did not prove to be the server. MP_CAPABLE
// needs no secret, so a hostile uplink that answers in the server's place is the quickest of all; it must not win every
// race. Safe for concurrent use; the zero value is ready.
type unproved struct {
	mu    sync.Mutex
	times map[uint8]int // in a row, by the uplink's address id
}

// note counts one more time that nobody proved to be the server, or forgets them all when somebody did.
func (u *unproved) note(id uint8, proved bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if proved {
		delete(u.times, id)
		return
	}
	if u.times == nil {
		u.times = make(map[uint8]int)
	}
	u.times[id] = min(u.times[id]+1, unprovedMost)
}

// delay is how long an uplink waits in a race over these ways. The most trustworthy of them does not wait.
func (u *unproved) delay(id uint8, ways []transport.Path) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	least := unprovedMost
	for i := range ways {
		least = min(least, u.times[ways[i].ID])
	}
	return time.Duration(max(0, u.times[id]-least)) * unprovedDelay
}
