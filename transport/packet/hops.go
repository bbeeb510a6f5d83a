package packet

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// hops knows the next hop of every pair of addresses in use: the kernel's answers about routes, and its neighbours. What
// it does not know yet it asks the watcher for, and until then packets go by raw IP.
type hops struct {
	wake chan struct{} // to the watcher; one place

	mu         sync.Mutex // guards what follows
	routes     map[routeKey]*route
	neighbours map[neighKey]*neighbour
	unresolved []routeKey
	sweptAt    time.Time
}

// routeKey is what the kernel is asked for. index 0: by any interface.
type routeKey struct {
	index         int
	local, remote netip.Addr
}

// neighKey is an address on a link.
type neighKey struct {
	index int
	addr  netip.Addr
}

// route is the kernel's answer.
type route struct {
	asked    bool // the watcher has been told to resolve it
	resolved bool
	direct   bool       // a packet socket can send by it; else the kernel's output has to
	index    int        // the interface
	mtu      int        // of the route, bytes; 0: none of its own
	hop      *neighbour // nil: the link has no neighbours
	usedAt   time.Time
}

func newHops() *hops {
	return &hops{wake: make(chan struct{}, 1), routes: map[routeKey]*route{}, neighbours: map[neighKey]*neighbour{}}
}

// Routes that nobody has used for routeIdle are forgotten, looked for at most once in that time.
const routeIdle = 5 * time.Minute

// maxRoutes bounds what is remembered. Only peers with data to be sent to get an entry, never one that has just asked for
// a connection, so a flood of forged SYNs costs nothing here; a peer beyond the bound is served by raw IP.
const maxRoutes = 1 << 16

// hop is the way to a packet's next hop.
type hop struct {
	direct bool         // false: by raw IP
	index  int          // the interface; 0: not known
	mac    hardwareAddr // with direct; without, the last that was known, or zero
	mtu    int          // of the route; 0: the interface's counts
}

// find looks up the next hop of a packet. single: it is one segment on the wire. control: it will not go directly, so
// a route that is not known need not become known.
func (h *hops) find(now time.Time, k routeKey, single, control bool) hop {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.routes[k]
	if r == nil {
		if control || len(h.routes) >= maxRoutes {
			return hop{index: k.index}
		}
		r = &route{}
		h.routes[k] = r
	}
	r.usedAt = now
	if !r.resolved {
		h.ask(k, r)
		return hop{index: k.index}
	}
	out := hop{index: r.index, mtu: r.mtu, direct: r.direct}
	if r.direct && r.hop != nil {
		out.direct = r.hop.direct(now, single)
		out.mac = r.hop.mac
	}
	return out
}

// ask has a route resolved; h.mu is held.
func (h *hops) ask(k routeKey, r *route) {
	if r.asked {
		return
	}
	r.asked = true
	h.unresolved = append(h.unresolved, k)
	h.signal()
}

func (h *hops) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// takeUnresolved hands what is asked for to the watcher.
func (h *hops) takeUnresolved() []routeKey {
	h.mu.Lock()
	defer h.mu.Unlock()
	ks := h.unresolved
	h.unresolved = nil
	return ks
}

// answer is what the kernel says about a route.
type answer struct {
	index   int
	mtu     int
	direct  bool
	gateway netip.Addr // valid: a neighbour has to be known
}

// settle takes the kernel's answer. news: its neighbour has not been known and should be looked up.
func (h *hops) settle(k routeKey, a answer) (news bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.routes[k]
	if r == nil {
		return false
	}
	r.asked, r.resolved, r.direct, r.index, r.mtu, r.hop = false, true, a.direct, a.index, a.mtu, nil
	if !a.gateway.IsValid() {
		return false
	}
	nk := neighKey{a.index, a.gateway}
	if r.hop = h.neighbours[nk]; r.hop == nil {
		r.hop, news = &neighbour{}, true
		h.neighbours[nk] = r.hop
	}
	return news
}

// learn takes the state of a neighbour, if that is of interest.
func (h *hops) learn(k neighKey, s neighState, mac hardwareAddr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := h.neighbours[k]; n != nil {
		n.learn(s, mac)
	}
}

// forget makes routes be asked for again whose destination is in one of the prefixes. The zero prefix has all of them.
func (h *hops) forget(dsts ...netip.Prefix) {
	if len(dsts) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, r := range h.routes {
		if r.resolved && slices.ContainsFunc(dsts, func(p netip.Prefix) bool { return !p.IsValid() || p.Contains(k.remote) }) {
			r.resolved = false
			h.ask(k, r)
		}
	}
}

// lost makes everything be asked for again: announcements were missed.
func (h *hops) lost() {
	h.forget(netip.Prefix{})
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.neighbours) // the routes' answers will bring them back
}

// sweep forgets what is idle.
func (h *hops) sweep(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.sweptAt) < routeIdle {
		return
	}
	h.sweptAt = now
	used := map[*neighbour]bool{}
	for k, r := range h.routes {
		if now.Sub(r.usedAt) >= routeIdle {
			delete(h.routes, k)
		} else if r.hop != nil {
			used[r.hop] = true
		}
	}
	for k, n := range h.neighbours {
		if !used[n] {
			delete(h.neighbours, k)
		}
	}
}
