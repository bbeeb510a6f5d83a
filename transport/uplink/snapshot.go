package uplink

import "net/netip"

// snapshot is what a machine's network looks like at one moment, as values: all that plan decides from.
type snapshot struct {
	links    []link
	defaults []defaultRoute
	rules    []rule // nil: the platform has no rules, or does not show them; every default route counts then
}

// link is one network interface.
type link struct {
	index   int
	name    string
	alts    []string // alternative names
	kind    kind
	up      bool // switched on
	carrier bool // has a partner at the other end, as far as the driver can tell
	addrs   []address
}

// address is one address of a link.
type address struct {
	ip         netip.Addr // without zone
	tentative  bool       // duplicate address detection is not done, or has failed (RFC 4862 §5.4)
	deprecated bool       // its preferred lifetime is over (RFC 4862 §5.5.4)
	temporary  bool       // privacy address (RFC 8981); for IPv4: a secondary address
}

// defaultRoute is one way to everywhere: a unicast route for 0.0.0.0/0 or ::/0.
type defaultRoute struct {
	index int // link
	table int
	v6    bool
}

// rule is one entry of the routing policy that looks up a table.
type rule struct {
	table int
	v6    bool
}

// byName finds a link by its name or, failing that, by an alternative name.
func (s snapshot) byName(name string) (link, bool) {
	for _, l := range s.links {
		if l.name == name {
			return l, true
		}
	}
	for _, l := range s.links {
		for _, alt := range l.alts {
			if alt == name {
				return l, true
			}
		}
	}
	return link{}, false
}

// owner finds the link that has an address.
func (s snapshot) owner(ip netip.Addr) (link, bool) {
	for _, l := range s.links {
		for _, a := range l.addrs {
			if a.ip == ip.WithZone("") {
				return l, true
			}
		}
	}
	return link{}, false
}

// hasDefault says whether a default route leads out by a link, in a table that some rule uses.
func (s snapshot) hasDefault(index int) bool {
	for _, r := range s.defaults {
		if r.index == index && (s.rules == nil || s.used(r.table, r.v6)) {
			return true
		}
	}
	return false
}

func (s snapshot) used(table int, v6 bool) bool {
	for _, r := range s.rules {
		if r.table == table && r.v6 == v6 {
			return true
		}
	}
	return false
}
