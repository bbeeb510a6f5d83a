package mptcp

import (
	"sync"
	"time"
)

// lastWord is how long a connection that is broken off gets to say so.
const lastWord = 200 * time.Millisecond

// live is the connections of a Dialer or a Listener that have not ended. The zero value is ready.
type live struct {
	mu    sync.Mutex
	conns map[*Conn]struct{}
}

func (l *live) add(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		l.conns = make(map[*Conn]struct{})
	}
	l.conns[c] = struct{}{}
}

func (l *live) remove(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

func (l *live) list() []*Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*Conn, 0, len(l.conns))
	for c := range l.conns {
		all = append(all, c)
	}
	return all
}

// drain waits until every connection has ended, at most for the time given, and breaks off those that are left: a
// program that just went would leave its peers to wait for it.
func (l *live) drain(wait time.Duration) {
	awaitEnd(l.list(), wait)
	left := l.list()
	for _, c := range left {
		c.Abort()
	}
	awaitEnd(left, lastWord)
}

func awaitEnd(conns []*Conn, wait time.Duration) {
	over := time.NewTimer(wait)
	defer over.Stop()
	for _, c := range conns {
		select {
		case <-c.done:
		case <-over.C:
			return
		}
	}
}
