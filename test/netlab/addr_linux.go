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

// An iface is what a host's interface is configured with. The kernel forgets part of that while an interface is down
// or without address; the lab puts it back, as a network manager would. The host's lock guards it.
type iface struct {
	name   string
	addrs  []netip.Prefix
	routes []Route // by Host.Route, through this interface
	uplink *uplink // nil: none
}

// AddAddr gives an interface an address with its prefix length, as in "192.0.2.7/24" or "2001:db8::7/64". It works at
// once. On an uplink the default route and the source rule come with it.
func (h *Host) AddAddr(dev, prefix string) {
	h.lab.do("add address on "+h.name, func() error {
		return h.edit(dev, func(i *iface) error {
			p, err := netip.ParsePrefix(prefix)
			if err != nil {
				return err
			}
			if !slices.Contains(i.addrs, p) {
				i.addrs = append(i.addrs, p)
			}
			return h.apply(i)
		})
	})
}

// DelAddr takes an address, with its prefix length, from an interface.
func (h *Host) DelAddr(dev, prefix string) {
	h.lab.do("delete address on "+h.name, func() error {
		return h.edit(dev, func(i *iface) error {
			p, err := netip.ParsePrefix(prefix)
			if err != nil {
				return err
			}
			return h.dropAddr(i, p)
		})
	})
}

// FlushAddrs takes all addresses that the lab has given from an interface.
func (h *Host) FlushAddrs(dev string) {
	h.lab.do("flush addresses on "+h.name, func() error {
		return h.edit(dev, func(i *iface) error {
			var errs []error
			for _, p := range slices.Clone(i.addrs) {
				errs = append(errs, h.dropAddr(i, p))
			}
			return errors.Join(errs...)
		})
	})
}

// Addrs lists the addresses that an interface has been given.
func (h *Host) Addrs(dev string) []netip.Prefix {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := h.interfaces[dev]; i != nil {
		return slices.Clone(i.addrs)
	}
	return nil
}

// edit runs f on an interface under the host's lock.
func (h *Host) edit(dev string, f func(*iface) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := h.interfaces[dev]
	if i == nil && dev == "lo" {
		i = &iface{name: dev}
		h.interfaces[dev] = i
	}
	if i == nil {
		return fmt.Errorf("%s has no interface %q", h.name, dev)
	}
	return f(i)
}

// apply puts in place what an interface is configured with: addresses always, the rest if it is up.
func (h *Host) apply(i *iface) error {
	dev, err := h.nl.LinkByName(i.name)
	if err != nil {
		return fmt.Errorf("interface %s: %w", i.name, err)
	}
	up := dev.Attrs().Flags&net.FlagUp != 0
	for _, p := range i.addrs {
		if !up && p.Addr().Is6() {
			continue
		}
		if err := h.nl.AddrReplace(dev, kernelAddr(p)); err != nil {
			return fmt.Errorf("address %s on %s: %w", p, i.name, err)
		}
	}
	if !up {
		return nil
	}
	for _, r := range i.routes {
		if err := h.putRoute(r); err != nil {
			return err
		}
	}
	return h.applyUplink(i, dev)
}

// dropAddr takes one address away.
func (h *Host) dropAddr(i *iface, p netip.Prefix) error {
	dev, err := h.nl.LinkByName(i.name)
	if err != nil {
		return fmt.Errorf("interface %s: %w", i.name, err)
	}
	err = h.nl.AddrDel(dev, kernelAddr(p))
	if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("address %s on %s: %w", p, i.name, err)
	}
	i.addrs = slices.DeleteFunc(i.addrs, func(q netip.Prefix) bool { return q == p })
	if err := h.withdrawUplink(i, dev, p.Addr()); err != nil {
		return err
	}
	if dev.Attrs().Flags&net.FlagUp == 0 || len(i.addrs) == 0 {
		return nil
	}
	return h.applyUplink(i, dev)
}

// kernelAddr is an address without duplicate detection, so that it works at once.
func kernelAddr(p netip.Prefix) *netlink.Addr {
	a := &netlink.Addr{IPNet: &net.IPNet{
		IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
	}}
	if p.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}
