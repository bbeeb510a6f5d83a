package netlab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Route is one entry of a routing table. Equal values are the same route.
type Route struct {
	To     string // prefix; "": the default route of Via's family
	Via    string // next hop, an address; "": directly connected
	Dev    string // interface; "": found by Via
	Src    string // preferred source address; "": the kernel's choice
	Table  int    // 0: main
	Metric int    // the lower wins; 0: the kernel's default
}

// A Rule sends packets to a table. Empty fields match everything.
type Rule struct {
	From, To string // prefixes
	Dev      string // device that the socket is bound to
	Table    int
	Priority int // the lower is asked first; main is 32766
}

// Route adds a route, or replaces the one of the same destination, table and metric. A route with Dev comes back when
// that interface comes up again.
func (h *Host) Route(r Route) {
	h.lab.do("route on "+h.name, func() error {
		if r.Dev == "" {
			return h.putRoute(r)
		}
		return h.edit(r.Dev, func(i *iface) error {
			if !slices.Contains(i.routes, r) {
				i.routes = append(i.routes, r)
			}
			return h.putRoute(r)
		})
	})
}

// DelRoute removes a route.
func (h *Host) DelRoute(r Route) {
	h.lab.do("delete route on "+h.name, func() error {
		if r.Dev != "" {
			err := h.edit(r.Dev, func(i *iface) error {
				i.routes = slices.DeleteFunc(i.routes, func(o Route) bool { return o == r })
				return nil
			})
			if err != nil {
				return err
			}
		}
		route, err := h.kernelRoute(r)
		if err != nil {
			return err
		}
		return wrap(h.nl.RouteDel(route), "route %+v", r)
	})
}

// Rule adds a rule; one that exists stays.
func (h *Host) Rule(r Rule) {
	h.lab.do("rule on "+h.name, func() error { return h.changeRule(h.nl.RuleAdd, r) })
}

// DelRule removes a rule; one that does not exist is no error.
func (h *Host) DelRule(r Rule) {
	h.lab.do("delete rule on "+h.name, func() error { return h.changeRule(h.nl.RuleDel, r) })
}

func (h *Host) putRoute(r Route) error {
	route, err := h.kernelRoute(r)
	if err != nil {
		return err
	}
	return wrap(h.nl.RouteReplace(route), "route %+v", r)
}

// kernelRoute translates a route for netlink.
func (h *Host) kernelRoute(r Route) (*netlink.Route, error) {
	route := &netlink.Route{Table: r.Table, Priority: r.Metric}
	if r.Table == 0 {
		route.Table = unix.RT_TABLE_MAIN
	}
	if r.Via == "" && r.To == "" {
		return nil, fmt.Errorf("route %+v leads nowhere: give To, Via or both", r)
	}
	var err error
	if route.Gw, err = parseIP(r.Via); err != nil {
		return nil, err
	}
	if route.Src, err = parseIP(r.Src); err != nil {
		return nil, err
	}
	to := r.To
	if to == "" {
		to = "::/0"
		if route.Gw.To4() != nil {
			to = "0.0.0.0/0"
		}
	}
	if route.Dst, err = parseNet(to); err != nil {
		return nil, err
	}
	if r.Dev == "" {
		return route, nil
	}
	dev, err := h.nl.LinkByName(r.Dev)
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", r.Dev, err)
	}
	route.LinkIndex = dev.Attrs().Index
	if r.Via == "" {
		route.Scope = netlink.SCOPE_LINK
	} else {
		route.Flags = int(netlink.FLAG_ONLINK) // the next hop need not be in a prefix of the interface
	}
	return route, nil
}

// changeRule applies RuleAdd or RuleDel to a rule, in both families when it names no prefix.
func (h *Host) changeRule(change func(*netlink.Rule) error, r Rule) error {
	families := []int{unix.AF_INET, unix.AF_INET6}
	for _, s := range []string{r.From, r.To} {
		if s == "" {
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return err
		}
		families = []int{unix.AF_INET6}
		if p.Addr().Is4() {
			families = []int{unix.AF_INET}
		}
	}
	for _, family := range families {
		rule := netlink.NewRule()
		rule.Family, rule.Table, rule.Priority, rule.OifName = family, r.Table, r.Priority, r.Dev
		var err error
		if rule.Src, err = parseNet(r.From); err != nil {
			return err
		}
		if rule.Dst, err = parseNet(r.To); err != nil {
			return err
		}
		err = change(rule)
		if err != nil && !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("rule %+v: %w", r, err)
		}
	}
	return nil
}

// parseIP reads an address; nil for "".
func parseIP(s string) (net.IP, error) {
	if s == "" {
		return nil, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return nil, err
	}
	return a.AsSlice(), nil
}

// parseNet reads a prefix; nil for "".
func parseNet(s string) (*net.IPNet, error) {
	if s == "" {
		return nil, nil
	}
	_, n, err := net.ParseCIDR(s)
	return n, err
}

// wrap adds what was done to an error, if there is one.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
