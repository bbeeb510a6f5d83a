package netlab

import (
	"fmt"
	"net/netip"
	"slices"
)

// Family is an internet protocol version.
type Family uint8

// The families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// A Multihome is a client of several uplinks and a server of one public address, with a router between them:
//
//	client ══ uplinks ══ router ── access ── server
type Multihome struct {
	Client, Router, Server *Host
	Uplinks                []*Link    // in the order of their configurations; side A is the client
	Access                 *Link      // unshaped, or the shared bottleneck; side A is the server
	Addr                   netip.Addr // of the server; invalid without IPv4
	Addr6                  netip.Addr // invalid without IPv6
}

// Multihome joins client and server by an uplink per configuration. Each uplink has a prefix of its own, unless its
// configuration gives addresses, and LinkConfig.Uplink's routes and rules; the client prefers the first. Families
// restricts the addresses to those given; none means both.
func (l *Lab) Multihome(client, server *Host, uplinks []LinkConfig, families ...Family) *Multihome {
	return l.multihome(client, server, uplinks, LinkConfig{}, families)
}

// SharedBottleneck is a Multihome all of whose uplinks lead through one shaped link, as two lines to the same street
// cabinet or two phones in the same radio cell do: Access has the shape of shared, whose ARate is what the server
// sends. Its addresses and its being an uplink are not taken over.
func (l *Lab) SharedBottleneck(
	client, server *Host, uplinks []LinkConfig, shared LinkConfig, families ...Family,
) *Multihome {
	shared.Emulate = true
	return l.multihome(client, server, uplinks, shared, families)
}

func (l *Lab) multihome(client, server *Host, uplinks []LinkConfig, access LinkConfig, families []Family) *Multihome {
	if len(families) == 0 {
		families = []Family{IPv4, IPv6}
	}
	pick := func(v4, v6 string) []string {
		addrs := []string{}
		if slices.Contains(families, IPv4) {
			addrs = append(addrs, v4)
		}
		if slices.Contains(families, IPv6) {
			addrs = append(addrs, v6)
		}
		return addrs
	}
	m := &Multihome{Client: client, Server: server, Router: l.Router(client.name + "-router")}
	mtu := 0
	for n, cfg := range uplinks {
		if cfg.A == nil && cfg.B == nil {
			cfg.A = pick(fmt.Sprintf("192.168.%d.2/24", n+1), fmt.Sprintf("2001:db8:%x::2/64", n+1))
			cfg.B = pick(fmt.Sprintf("192.168.%d.1/24", n+1), fmt.Sprintf("2001:db8:%x::1/64", n+1))
		}
		cfg.Uplink = true
		mtu = max(mtu, cfg.MTU)
		m.Uplinks = append(m.Uplinks, l.Link(client, m.Router, cfg))
	}
	access.MTU, access.Uplink = max(mtu, access.MTU), true
	access.A = pick("203.0.113.1/24", "2001:db8:ffff::1/64")
	access.B = pick("203.0.113.254/24", "2001:db8:ffff::fe/64")
	m.Access = l.Link(server, m.Router, access)
	m.Addr, m.Addr6 = m.Access.Addr(SideA), m.Access.Addr6(SideA)
	return m
}
