package plaintest

import (
	"container/heap"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"hawser/transport/plain"
)

// Config is what the connections of a Network have in common. The zero value works.
type Config struct {
	Seed       uint64 // of losses and jitter
	Congestion string // "bbr" (default) or "reno"
	SendBuffer int    // bytes that a socket holds, sent or not; 0: 4 MB
	MaxWrite   int    // most bytes that one write takes, to cut records anywhere; 0: no limit
	MaxRead    int    // most bytes that one read gives; 0: no limit
}

// Server is where Acceptor listens unless told otherwise.
var Server = netip.MustParseAddrPort("198.51.100.1:7444")

// Network is a client's uplinks to the rest of the world.
type Network struct {
	cfg Config

	mu        sync.Mutex
	events    eventHeap
	seq       uint64 // keeps events of one instant in order
	timer     *time.Timer
	armed     time.Time // when timer fires; zero: not armed
	links     map[string]*Link
	listeners map[netip.AddrPort]*listener
	conns     uint64
}

// New makes a Network without links.
func New(cfg Config) *Network {
	if cfg.SendBuffer == 0 {
		cfg.SendBuffer = 4 << 20
	}
	if cfg.Congestion == "" {
		cfg.Congestion = "bbr"
	}
	n := &Network{cfg: cfg, links: make(map[string]*Link), listeners: make(map[netip.AddrPort]*listener)}
	return n
}

// AddLink adds an uplink under the name that transport.Path.Uplink has.
func (n *Network) AddLink(name string, c LinkConfig) *Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.links[name] != nil {
		panic(fmt.Sprintf("BUG: plaintest: link %q is there already", name))
	}
	id := byte(len(n.links) + 1)
	l := &Link{n: n, name: name, client: netip.AddrFrom4([4]byte{192, 0, 2, id}), sockets: make(map[*socket]struct{})}
	l.up = &direction{n: n, LinkConfig: c}
	l.down = &direction{n: n, LinkConfig: c}
	n.links[name] = l
	return l
}

// Carrier is the client's carrier.
func (n *Network) Carrier() *plain.Carrier { return plain.NewCarrierOn(n) }

// Acceptor listens on Server.
func (n *Network) Acceptor(cfg plain.Config) *plain.Listener {
	return plain.NewListenerOn(n.Listen(Server), cfg)
}

// event is something that will happen.
type event struct {
	at  time.Time
	seq uint64
	do  func(now time.Time) // with n.mu held
}

type eventHeap []*event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].seq < h[j].seq
	}
	return h[i].at.Before(h[j].at)
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(*event)) }
func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}

// at makes do happen at a time; n.mu is held.
func (n *Network) at(t time.Time, do func(now time.Time)) {
	n.seq++
	heap.Push(&n.events, &event{t, n.seq, do})
	n.arm()
}

// arm sets the timer to the first event; n.mu is held.
func (n *Network) arm() {
	if len(n.events) == 0 {
		return
	}
	first := n.events[0].at
	if !n.armed.IsZero() && !first.Before(n.armed) {
		return
	}
	n.armed = first
	if n.timer == nil {
		n.timer = time.AfterFunc(time.Until(first), n.tick)
	} else {
		n.timer.Reset(time.Until(first))
	}
}

// tick runs what is due.
func (n *Network) tick() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.armed = time.Time{}
	for now := time.Now(); len(n.events) > 0 && !n.events[0].at.After(now); {
		heap.Pop(&n.events).(*event).do(now)
	}
	n.arm()
}
