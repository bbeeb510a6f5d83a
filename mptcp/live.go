package mptcp

import (
	"context"
	"sync"
)

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

// drain waits until every connection has ended or ctx has, and breaks off those that are left: a program that just went
// would leave its peers to wait for it.
func (l *live) drain(ctx context.Context) {
	for _, c := range l.list() {
		select {
		case <-c.done:
		case <-ctx.Done():
			c.Abort()
			<-c.done // the loop says its last word and ends
		}
	}
}
