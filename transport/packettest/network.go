package packettest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"

	"hawser/transport/linksim"
)

// Network is hosts and links. All methods of it and of its parts may be called while traffic runs.
type Network struct {
	seed uint64

	mu       sync.Mutex // guards everything in the network
	timeline *linksim.Timeline
	links    int
}

// New makes an empty network.
func New(seed uint64) *Network {
	n := &Network{seed: seed}
	n.timeline = linksim.NewTimeline(&n.mu)
	return n
}

// Host is one with interfaces and Conns.
type Host struct {
	n     *Network
	name  string
	ends  []*end
	conns []*Conn
}

// Host makes a host.
func (n *Network) Host(name string) *Host { return &Host{n: n, name: name} }

// Link joins two hosts. The interface has the same index on both: 1 for the network's first link, and so on.
func (n *Network) Link(a, b *Host, c LinkConfig) *Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.links++
	k := &Link{n: n, index: n.links}
	for side, h := range []*Host{a, b} {
		e := &end{
			link: k, host: h,
			v4: netip.AddrFrom4([4]byte{10, 99, byte(n.links), byte(side + 1)}),
			v6: netip.MustParseAddr(fmt.Sprintf("fd99:%x::%d", n.links, side+1)),
			out: &direction{
				LinkConfig: c, n: n,
				rng: rand.New(rand.NewPCG(n.seed, uint64(2*n.links+side))),
			},
		}
		k.ends[side] = e
		h.ends = append(h.ends, e)
	}
	k.ends[SideA].out.to, k.ends[SideB].out.to = k.ends[SideB], k.ends[SideA]
	return k
}
