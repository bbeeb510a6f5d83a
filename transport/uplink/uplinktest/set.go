package uplinktest

import (
	"net/netip"
	"slices"
	"sync"

	"hawser/transport/uplink"
)

// Set stands in for uplink.Set. Safe for concurrent use.
type Set struct {
	watchers watchers

	mu      sync.Mutex // guards what follows
	uplinks []uplink.Uplink
	route   func(u uplink.Uplink, local, remote netip.Addr) error
}

// NewSet makes a Set of these uplinks, every remote reachable from each.
func NewSet(us ...uplink.Uplink) *Set { return &Set{uplinks: slices.Clone(us)} }

// Up makes a usable uplink with these source addresses.
func Up(id uint8, name string, addrs ...string) uplink.Uplink {
	u := uplink.Uplink{Name: name, ID: id, Interface: name, Index: int(id), State: uplink.StateUp}
	for _, a := range addrs {
		if ip := netip.MustParseAddr(a); ip.Is4() {
			u.V4 = append(u.V4, ip)
		} else {
			u.V6 = append(u.V6, ip)
		}
	}
	return u
}

// Replace puts other uplinks in the place of all.
func (s *Set) Replace(us ...uplink.Uplink) {
	s.mu.Lock()
	s.uplinks = slices.Clone(us)
	s.mu.Unlock()
	s.watchers.call()
}

// Down takes the link of the named uplink down, as a pulled cable does.
func (s *Set) Down(name string) {
	s.mu.Lock()
	for i := range s.uplinks {
		if u := &s.uplinks[i]; u.Name == name {
			u.State, u.Reason = uplink.StateDown, "no carrier"
		}
	}
	s.mu.Unlock()
	s.watchers.call()
}

// SetRoute decides which remotes have a route; nil: all have.
func (s *Set) SetRoute(route func(u uplink.Uplink, local, remote netip.Addr) error) {
	s.mu.Lock()
	s.route = route
	s.mu.Unlock()
	s.watchers.call()
}

// Uplinks lists the uplinks.
func (s *Set) Uplinks() []uplink.Uplink {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.uplinks)
}

// Watch has changed called by every change, before it returns.
func (s *Set) Watch(changed func()) (stop func()) { return s.watchers.add(changed) }

// Route answers as SetRoute says.
func (s *Set) Route(u uplink.Uplink, local, remote netip.Addr) error {
	s.mu.Lock()
	route := s.route
	s.mu.Unlock()
	if route == nil {
		return nil
	}
	return route(u, local, remote)
}
