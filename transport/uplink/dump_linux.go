package uplink

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// dumper asks the kernel what there is and reports it. Owned by the monitor's goroutine.
type dumper struct {
	h   *netlink.Handle
	o   observer
	now snapshot
}

// dump reads again what is due and reports the result: links and addresses first, for a router's routes may be many.
func (d *dumper) dump(due events) error {
	if due&eventLinks != 0 {
		links, err := whole(d.links)
		if err != nil {
			return fmt.Errorf("read interfaces: %w", err)
		}
		first := d.now.links == nil
		d.now.links = links
		if !d.o.routes || !first {
			d.o.deliver(d.now)
		}
	}
	if due&eventRoutes != 0 && d.o.routes {
		var err error
		if d.now.rules, err = whole(d.rules); err != nil {
			d.now.rules = nil // a kernel without policy routing: the main table is all there is
		}
		if d.now.defaults, err = whole(d.defaults); err != nil {
			return fmt.Errorf("read routes: %w", err)
		}
		d.o.deliver(d.now)
	}
	d.o.rerouted()
	return nil
}

// dumpAttempts bounds how often a dump that a change has interrupted is repeated. The change is announced as well, so
// a last incomplete one is mended soon.
const dumpAttempts = 4

// whole repeats a dump until it is consistent.
func whole[T any](dump func() ([]T, error)) (ts []T, err error) {
	for range dumpAttempts {
		if ts, err = dump(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return ts, err
		}
	}
	return ts, nil
}

func (d *dumper) links() ([]link, error) {
	ls, err := d.h.LinkList()
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil, err
	}
	as, aerr := d.h.AddrList(nil, netlink.FAMILY_ALL)
	if aerr != nil && !errors.Is(aerr, netlink.ErrDumpInterrupted) {
		return nil, aerr
	}
	byLink := make(map[int][]address)
	for _, a := range as {
		if v, ok := addressOf(a); ok {
			byLink[a.LinkIndex] = append(byLink[a.LinkIndex], v)
		}
	}
	out := make([]link, 0, len(ls))
	for _, l := range ls {
		v := linkOf(l)
		v.addrs = byLink[v.index]
		out = append(out, v)
	}
	return out, errors.Join(err, aerr)
}

// linkOf reads a link. IFF_RUNNING is the operational state of RFC 2863 in one bit: up, or not known to the driver;
// 802.1X and dormant modems clear it as a pulled cable does. IFF_LOWER_UP is the carrier alone.
func linkOf(l netlink.Link) link {
	a := l.Attrs()
	return link{
		index:   a.Index,
		name:    a.Name,
		alts:    a.AltNames,
		kind:    classify(l.Type(), a.EncapType, a.Name),
		up:      a.RawFlags&unix.IFF_UP != 0,
		carrier: a.RawFlags&unix.IFF_RUNNING != 0 && a.RawFlags&unix.IFF_LOWER_UP != 0,
	}
}

func addressOf(a netlink.Addr) (address, bool) {
	if a.IPNet == nil {
		return address{}, false
	}
	ip, ok := netip.AddrFromSlice(a.IP)
	if !ok {
		return address{}, false
	}
	return address{
		ip: ip.Unmap(),
		// An optimistic address may be used while it is still checked (RFC 4429).
		tentative:  a.Flags&unix.IFA_F_DADFAILED != 0 || a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_OPTIMISTIC) == unix.IFA_F_TENTATIVE,
		deprecated: a.Flags&unix.IFA_F_DEPRECATED != 0,
		temporary:  a.Flags&unix.IFA_F_TEMPORARY != 0, // the same bit is IFA_F_SECONDARY for IPv4
	}, true
}

func (d *dumper) rules() ([]rule, error) {
	out := []rule{}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		rs, err := d.h.RuleList(family)
		if err != nil && (family == netlink.FAMILY_V4 || errors.Is(err, netlink.ErrDumpInterrupted)) {
			return nil, err
		}
		for _, r := range rs {
			if r.Table != unix.RT_TABLE_UNSPEC { // goto, blackhole and the like look up nothing
				out = append(out, rule{table: r.Table, v6: family == netlink.FAMILY_V6})
			}
		}
	}
	return out, nil
}

func (d *dumper) defaults() ([]defaultRoute, error) {
	var out []defaultRoute
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		all := &netlink.Route{Table: unix.RT_TABLE_UNSPEC, Type: unix.RTN_UNICAST}
		err := d.h.RouteListFilteredIter(family, all, netlink.RT_FILTER_TABLE|netlink.RT_FILTER_TYPE, func(r netlink.Route) bool {
			if r.Dst == nil || isDefault(r) {
				out = appendDefault(out, r, family == netlink.FAMILY_V6)
			}
			return true
		})
		switch {
		case errors.Is(err, netlink.ErrDumpInterrupted):
			return out, err
		case err != nil && family == netlink.FAMILY_V4: // IPv6 may be switched off
			return nil, err
		}
	}
	return out, nil
}

func isDefault(r netlink.Route) bool {
	ones, _ := r.Dst.Mask.Size()
	return ones == 0 && r.Dst.IP.IsUnspecified()
}

// appendDefault adds a default route with each of its next hops.
func appendDefault(out []defaultRoute, r netlink.Route, v6 bool) []defaultRoute {
	if len(r.MultiPath) == 0 {
		return append(out, defaultRoute{index: r.LinkIndex, table: r.Table, v6: v6})
	}
	for _, hop := range r.MultiPath {
		out = append(out, defaultRoute{index: hop.LinkIndex, table: r.Table, v6: v6})
	}
	return out
}
