package netlab

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// NATConfig says how an address translator forgets.
type NATConfig struct {
	// Strict drops segments of TCP connections that it does not know, as carriers' translators do. Without it a segment
	// from inside makes an unknown connection known again, as on Linux routers: one that was forgotten goes on if the
	// inside speaks first, and its address and port are free.
	Strict bool

	// Established is how long a TCP connection may be idle before it is forgotten, in whole seconds; 0: Linux's five
	// days. RFC 5382 REQ-5 asks for at least 2 h 4 min; many give minutes.
	Established time.Duration
}

// A NAT is a router that gives what leaves through a link its own address and a port of its choice: nftables' masquerade
// with the kernel's connection tracking, for IPv4 and IPv6. What it stands for: home routers, mobile operators and
// carrier-grade NAT. Needs what NeedNFTables says.
type NAT struct {
	router *Host
	link   *Link
	side   Side
}

// Masquerade makes a router translate what leaves it through a link of its own.
func (h *Host) Masquerade(k *Link, cfg NATConfig) *NAT {
	n := &NAT{router: h, link: k}
	h.lab.do("masquerade on "+h.name, func() error {
		switch h {
		case k.hosts[SideA]:
			n.side = SideA
		case k.hosts[SideB]:
			n.side = SideB
		default:
			return fmt.Errorf("%s is at no end of link %s: give one of its own", h.name, k.names[SideA])
		}
		loose, invalid := "1", ""
		if cfg.Strict {
			loose, invalid = "0", fmt.Sprintf("oifname %q ct state invalid drop", k.names[n.side])
		}
		err := h.putTable(fmt.Sprintf("netlab_nat_%d", k.index), fmt.Sprintf(`
	chain translate { type nat hook postrouting priority srcnat; oifname %q masquerade; }
	chain check { type filter hook forward priority filter; %s; }
`, k.names[n.side], invalid))
		if err != nil {
			return err
		}
		if cfg.Established > 0 {
			err = n.setTimeout(cfg.Established)
		}
		return errors.Join(err, h.sysctl("net.netfilter.nf_conntrack_tcp_loose", loose))
	})
	return n
}

// SetEstablishedTimeout changes how long an idle TCP connection is remembered, for all translations of the router, in
// whole seconds of at least one. A connection that is known follows with its next segment.
func (n *NAT) SetEstablishedTimeout(d time.Duration) {
	n.router.lab.do("time-out of NAT on "+n.router.name, func() error { return n.setTimeout(d) })
}

func (n *NAT) setTimeout(d time.Duration) error {
	if d < time.Second || d%time.Second != 0 {
		return fmt.Errorf("time-out %v: give whole seconds, at least one", d)
	}
	return n.router.sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", strconv.Itoa(int(d/time.Second)))
}

// Flush forgets every connection of the router, as a restart does.
func (n *NAT) Flush() {
	n.router.lab.do("flush NAT on "+n.router.name, func() error {
		return wrap(n.router.nl.ConntrackTableFlush(netlink.ConntrackTable), "conntrack table")
	})
}

// Entries counts the TCP connections that the router remembers, of its own and of those that it forwards.
func (n *NAT) Entries() (count int) {
	n.router.lab.do("entries of NAT on "+n.router.name, func() error {
		for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
			flows, err := n.router.nl.ConntrackTableList(netlink.ConntrackTable, family)
			if err != nil {
				return wrap(err, "conntrack table")
			}
			for _, f := range flows {
				if f.Forward.Protocol == unix.IPPROTO_TCP {
					count++
				}
			}
		}
		return nil
	})
	return count
}

// ChangeAddress gives the router another address on the outside, with prefix length, in place of those of its family:
// what a provider's forced reconnection does. Connections through the old address are dead, and nobody is told.
func (n *NAT) ChangeAddress(prefix string) {
	dev := n.link.names[n.side]
	p, err := netip.ParsePrefix(prefix)
	if err != nil {
		n.router.lab.do("change address of "+n.router.name, func() error { return err })
		return
	}
	for _, old := range n.router.Addrs(dev) { // first, or the kernel takes those of the same prefix along
		if old.Addr().Is4() == p.Addr().Is4() && old != p {
			n.router.DelAddr(dev, old.String())
		}
	}
	n.router.AddAddr(dev, prefix)
}
