package mptcp

import (
	"net/netip"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// AnnouncedAddress is an address at which a server can be joined as well, told to clients by ADD_ADDR.
type AnnouncedAddress struct {
	ID   uint8 // address id, 1–255, one per address
	Addr netip.AddrPort
}

// Limits of ADD_ADDR (RFC 8684 §3.4.1: treat announcements as soft state, bound what they cause).
const (
	announceTries = 3
	announceWait  = time.Second
	maxAnnounced  = 16
)

// addresses is what both ends have announced. Owned by the loop.
type addresses struct {
	own   []announcement
	peers map[uint8]netip.AddrPort
}

type announcement struct {
	AnnouncedAddress
	tries int
	next  time.Time
	done  bool // echoed
}

// announce begins to tell the peer of the configured addresses.
func (a *addresses) announce(k *core) {
	for _, addr := range k.cfg.Announce {
		a.own = append(a.own, announcement{AnnouncedAddress: addr})
	}
}

// announceAgain repeats at once, because there is a new subflow, what was not echoed yet.
func (a *addresses) announceAgain() {
	for i := range a.own {
		if !a.own[i].done {
			a.own[i].tries, a.own[i].next = 0, time.Time{}
		}
	}
}

// advance sends ADD_ADDR that are due: again after a wait, until the echo comes or the tries are used up.
func (a *addresses) advance(k *core, now time.Time) {
	s := k.quickest()
	if s == nil || !k.trusted {
		return
	}
	for i := range a.own {
		o := &a.own[i]
		if o.done || o.tries >= announceTries || now.Before(o.next) {
			continue
		}
		o.tries++
		o.next = now.Add(announceWait << o.tries)
		addr, port := o.Addr.Addr(), o.Addr.Port()
		s.carrier.Signal(wire.AddAddr{
			ID: o.ID, Addr: addr, Port: port, HMAC: AddAddrHMAC(k.local, k.remote, k.binding, o.ID, addr, port),
		})
	}
}

func (a *addresses) deadline() time.Time {
	var d time.Time
	for i := range a.own {
		if o := &a.own[i]; !o.done && o.tries < announceTries && !o.next.IsZero() {
			d = earliest(d, o.next)
		}
	}
	return d
}

// addAddr takes in the peer's ADD_ADDR: proved by its HMAC, echoed, and given to the path manager.
func (k *core) addAddr(s *subflow, o wire.AddAddr) {
	if o.Echo {
		for i := range k.addrs.own {
			if k.addrs.own[i].ID == o.ID && s.phase == phaseActive {
				k.addrs.own[i].done = true
			}
		}
		return
	}
	want := AddAddrHMAC(k.remote, k.local, k.binding, o.ID, o.Addr, o.Port)
	if !k.trusted || s.phase != phaseActive || !sameMAC(o.HMAC[:], want[:]) {
		return // RFC 8684 §3.4.1: silently ignored
	}
	s.carrier.Signal(wire.AddAddr{Echo: true, ID: o.ID, Addr: o.Addr, Port: o.Port})
	port := o.Port
	if port == 0 {
		port = s.path.Remote.Port() // RFC 8684 §3.4.1: the port of the subflow that carried it
	}
	if k.addrs.peers == nil {
		k.addrs.peers = make(map[uint8]netip.AddrPort)
	}
	if len(k.addrs.peers) < maxAnnounced {
		k.addrs.peers[o.ID] = netip.AddrPortFrom(o.Addr, port)
	}
}

// removeAddr takes in the peer's REMOVE_ADDR: the subflows from those addresses are closed at once, and what they
// carried is sent again on the others.
func (k *core) removeAddr(now time.Time, from *subflow, o wire.RemoveAddr) {
	if !k.trusted || from.phase != phaseActive {
		return
	}
	for _, id := range o.IDs[:o.N] {
		delete(k.addrs.peers, id)
		if k.client {
			continue
		}
		for i := 0; i < len(k.subs); {
			if s := k.subs[i]; s.addrID == id && s != from {
				k.drop(now, s, wire.ResetUnspecified, "the peer withdrew the address")
				continue
			}
			i++
		}
	}
}

// withdraw tells the peer on every other subflow that an uplink is gone.
func (k *core) withdraw(s *subflow) {
	o := wire.RemoveAddr{N: 1}
	o.IDs[0] = s.addrID
	for _, other := range k.subs {
		if other != s && other.phase == phaseActive {
			other.carrier.Signal(o)
		}
	}
}

// announcedPaths adds the server's announced addresses to the ways that the path source knows.
func (k *core) announcedPaths(paths []transport.Path) []transport.Path {
	if len(k.addrs.peers) == 0 {
		return paths
	}
	all := append([]transport.Path(nil), paths...)
	seen := make(map[uint8]bool)
	for _, p := range paths {
		if seen[p.ID] {
			continue
		}
		seen[p.ID] = true
		for _, addr := range k.addrs.peers {
			if addr.Addr().Is4() == p.Remote.Addr().Unmap().Is4() && addr != p.Remote {
				q := p
				q.Remote = addr
				all = append(all, q)
			}
		}
	}
	return all
}
