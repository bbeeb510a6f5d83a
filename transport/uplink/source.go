package uplink

import (
	"net/netip"
	"slices"
)

// sources picks the source addresses of a link that connections may use, best first. IPv6 link-local ones lead to no
// server that several uplinks share, and every link has one, so they say nothing about whether it works.
func sources(as []address) (v4, v6 []netip.Addr) {
	usable := make([]address, 0, len(as))
	for _, a := range as {
		if !a.tentative && !a.ip.IsUnspecified() && !a.ip.IsMulticast() {
			usable = append(usable, a)
		}
	}
	slices.SortStableFunc(usable, compareSources)
	for _, a := range usable {
		switch {
		case a.ip.Is4():
			v4 = append(v4, a.ip)
		case !a.ip.IsLinkLocalUnicast():
			v6 = append(v6, a.ip)
		}
	}
	return v4, v6
}

// compareSources orders addresses by how well they serve as a source for an unknown global destination, after RFC 6724
// §5: not deprecated (rule 3), then the larger scope (rule 2). It prefers stable to temporary addresses, against rule
// 7: the server knows the client by its key anyway, and a change of address breaks every subflow of the uplink.
// Ties of IPv4 keep the kernel's order, primary address first; the kernel lists IPv6 addresses newest first, so ties
// there go by value and a new address does not displace the one in use merely by being new.
func compareSources(a, b address) int {
	if d := demerits(a) - demerits(b); d != 0 {
		return d
	}
	if a.ip.Is6() && b.ip.Is6() {
		return a.ip.Compare(b.ip)
	}
	return 0
}

func demerits(a address) int {
	n := 0
	if a.deprecated {
		n += 100
	}
	if a.ip.IsLinkLocalUnicast() || a.ip.IsLoopback() {
		n += 20
	}
	if a.ip.Is6() && a.ip.IsPrivate() { // unique local, RFC 4193
		n += 10
	}
	if a.temporary {
		n++
	}
	return n
}

// localFor picks the source address of an uplink for a destination: of the same family and, for IPv6, of the same
// scope where there is one (RFC 6724 §5 rules 2 and 6). Invalid: the uplink has none.
func localFor(u Uplink, remote netip.Addr) netip.Addr {
	if remote.Is4() {
		return first(u.V4)
	}
	if remote.IsPrivate() {
		for _, a := range u.V6 {
			if a.IsPrivate() {
				return a
			}
		}
	}
	return first(u.V6)
}

func first(as []netip.Addr) netip.Addr {
	if len(as) == 0 {
		return netip.Addr{}
	}
	return as[0]
}
