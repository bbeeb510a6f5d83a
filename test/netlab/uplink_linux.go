package netlab

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An uplink is a default way out. Besides a default route in the main table it has a table of its own, for packets
// that have one of its addresses as source and for sockets that are bound to its interface. So a host of several
// uplinks can use each of them at any time, whatever the main table prefers.
type uplink struct {
	gateways []netip.Addr // at most one per family
	index    int          // of the interface; numbers the tables, priorities and metrics
}

// Where the numbers of an uplink's table, metric and rules start.
const (
	uplinkTable    = 10_000
	uplinkMetric   = 100
	uplinkFromRule = 10_000
	uplinkDevRule  = 20_000
)

// applyUplink puts an uplink's routes and rules in place, for the families in which the interface has an address.
func (h *Host) applyUplink(i *iface, dev netlink.Link) error {
	if i.uplink == nil {
		return nil
	}
	u := i.uplink
	u.index = dev.Attrs().Index
	for _, gateway := range u.gateways {
		for _, r := range u.routes(i, gateway) {
			if err := h.putRoute(r); err != nil {
				return err
			}
		}
	}
	for _, p := range i.addrs {
		if err := h.changeRule(h.nl.RuleAdd, u.fromRule(p.Addr())); err != nil {
			return err
		}
	}
	return h.changeRule(h.nl.RuleAdd, Rule{Dev: i.name, Table: uplinkTable + u.index, Priority: uplinkDevRule + u.index})
}

// withdrawUplink removes what an uplink had because of an address that is gone.
func (h *Host) withdrawUplink(i *iface, dev netlink.Link, gone netip.Addr) error {
	if i.uplink == nil {
		return nil
	}
	u := i.uplink
	u.index = dev.Attrs().Index
	if err := h.changeRule(h.nl.RuleDel, u.fromRule(gone)); err != nil {
		return err
	}
	if i.first(gone.Is4()).IsValid() {
		return nil
	}
	for _, gateway := range u.gateways {
		if gateway.Is4() != gone.Is4() {
			continue
		}
		for _, table := range []int{0, uplinkTable + u.index} {
			route, err := h.kernelRoute(Route{Via: gateway.String(), Dev: i.name, Table: table})
			if err != nil {
				return err
			}
			if err := h.nl.RouteDel(route); err != nil && !errors.Is(err, unix.ESRCH) {
				return wrap(err, "default route via %s", gateway)
			}
		}
	}
	return nil
}

// routes lists the routes to a gateway; none when the interface has no address of its family.
func (u *uplink) routes(i *iface, gateway netip.Addr) []Route {
	source := i.first(gateway.Is4())
	if !source.IsValid() {
		return nil
	}
	table := uplinkTable + u.index
	via := Route{Via: gateway.String(), Dev: i.name, Src: source.Addr().String()}
	main, own := via, via
	main.Metric, own.Table = uplinkMetric+u.index, table
	routes := []Route{main, own}
	for _, p := range i.addrs {
		if p.Addr().Is4() == gateway.Is4() {
			routes = append(routes, Route{
				To: p.Masked().String(), Dev: i.name, Src: p.Addr().String(), Table: table,
			})
		}
	}
	return routes
}

func (u *uplink) fromRule(a netip.Addr) Rule {
	return Rule{
		From:  netip.PrefixFrom(a, a.BitLen()).String(),
		Table: uplinkTable + u.index, Priority: uplinkFromRule + u.index,
	}
}

// first returns the interface's first address of a family; invalid: none.
func (i *iface) first(v4 bool) netip.Prefix {
	n := slices.IndexFunc(i.addrs, func(p netip.Prefix) bool { return p.Addr().Is4() == v4 })
	if n < 0 {
		return netip.Prefix{}
	}
	return i.addrs[n]
}
