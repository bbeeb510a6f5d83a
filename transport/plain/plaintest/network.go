package plaintest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"

	"hawser/transport/linksim"
	"hawser/transport/plain"
)

// Config is what the connections of a Network have in common. The zero value works.
type Config struct {
	Seed       uint64 // of losses and jitter
	Congestion string // "bbr" (default), "cubic" or "reno"
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
	timeline  *linksim.Timeline // under mu
	links     map[string]*Link
	listeners map[netip.AddrPort]*listener
	flows     uint64 // so far
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
	n.timeline = linksim.NewTimeline(&n.mu)
	return n
}

// random is the next flow's own source of chance; n.mu is held.
func (n *Network) random() *rand.Rand {
	n.flows++
	return rand.New(rand.NewPCG(n.cfg.Seed, 1<<32|n.flows))
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
	l.up, l.down = newDirection(n, c, uint64(2*id)), newDirection(n, c, uint64(2*id+1))
	n.links[name] = l
	return l
}

// Carrier is the client's carrier.
func (n *Network) Carrier() *plain.Carrier { return plain.NewCarrierOn(n) }

// Acceptor listens on Server.
func (n *Network) Acceptor(cfg plain.Config) *plain.Listener {
	return plain.NewListenerOn(n.Listen(Server), cfg)
}
