package inbound

import (
	"errors"
	"net/netip"
	"sync"
)

var (
	errFull      = errors.New("inbound: too many connections")
	errStrangers = errors.New("inbound: too many connections without a password")
)

// gate bounds the connections and knows all of them. Its lock guards everything in it, and client.stranger.
type gate struct {
	max, maxStrangers, maxPerSource int

	mu        sync.Mutex
	closed    bool
	clients   map[*client]struct{}
	strangers int
	perSource map[netip.Prefix]int // strangers of each source
}

func newGate(o Options) *gate {
	return &gate{
		max: o.MaxConns, maxStrangers: o.MaxStrangers, maxPerSource: o.MaxStrangersPerSource,
		clients: make(map[*client]struct{}), perSource: make(map[netip.Prefix]int),
	}
}

// sourceKey takes an IPv6 /64 for one source: whoever has one has all of it.
func sourceKey(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits) // an invalid address has the zero prefix: one source too
	return p
}

// admit counts a client in, as a stranger when c.stranger is set.
func (g *gate) admit(c *client) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed || len(g.clients) >= g.max:
		return errFull
	case c.stranger && (g.strangers >= g.maxStrangers || g.perSource[sourceKey(c.source)] >= g.maxPerSource):
		return errStrangers
	}
	g.clients[c] = struct{}{}
	if c.stranger {
		g.strangers++
		g.perSource[sourceKey(c.source)]++
	}
	return nil
}

// trust stops counting a client as a stranger.
func (g *gate) trust(c *client) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trustLocked(c)
}

func (g *gate) trustLocked(c *client) {
	if !c.stranger {
		return
	}
	c.stranger = false
	g.strangers--
	key := sourceKey(c.source)
	if g.perSource[key]--; g.perSource[key] == 0 {
		delete(g.perSource, key)
	}
}

// leave counts a client out; again is harmless.
func (g *gate) leave(c *client) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.clients[c]; ok {
		g.trustLocked(c)
		delete(g.clients, c)
	}
}

// close admits nobody any more and returns the clients that there are.
func (g *gate) close() []*client {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	list := make([]*client, 0, len(g.clients))
	for c := range g.clients {
		list = append(list, c)
	}
	return list
}
