//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package uplink

import (
	"net"
	"strings"
	"syscall"

	"golang.org/x/net/route"
)

// defaults reads the routing table. macOS keeps one default route per interface there, those of other interfaces than
// the first marked as scoped.
func defaults() ([]defaultRoute, error) {
	b, err := route.FetchRIB(syscall.AF_UNSPEC, route.RIBTypeRoute, 0)
	if err != nil {
		return nil, err
	}
	ms, err := route.ParseRIB(route.RIBTypeRoute, b)
	if err != nil {
		return nil, err
	}
	var out []defaultRoute
	for _, m := range ms {
		if r, ok := m.(*route.RouteMessage); ok && r.Flags&syscall.RTF_UP != 0 {
			if v6, ok := toEverywhere(r.Addrs); ok {
				out = append(out, defaultRoute{index: r.Index, v6: v6})
			}
		}
	}
	return out, nil
}

// toEverywhere says whether the addresses of a route are those of a default route, and of which family. The netmask
// of a default route is absent or all zeros.
func toEverywhere(as []route.Addr) (v6, ok bool) {
	if len(as) <= syscall.RTAX_DST {
		return false, false
	}
	var mask route.Addr
	if len(as) > syscall.RTAX_NETMASK {
		mask = as[syscall.RTAX_NETMASK]
	}
	switch dst := as[syscall.RTAX_DST].(type) {
	case *route.Inet4Addr:
		m, has := mask.(*route.Inet4Addr)
		return false, dst.IP == [4]byte{} && (!has || m.IP == [4]byte{})
	case *route.Inet6Addr:
		m, has := mask.(*route.Inet6Addr)
		return true, dst.IP == [16]byte{} && (!has || m.IP == [16]byte{})
	}
	return false, false
}

// tunnelNames are the names that these systems give to tunnels.
var tunnelNames = []string{"utun", "tun", "wg", "gif", "gre", "stf", "ipsec"}

func kindOf(i net.Interface) kind {
	for _, prefix := range tunnelNames {
		if strings.HasPrefix(i.Name, prefix) {
			return kindTunnel
		}
	}
	if strings.HasPrefix(i.Name, "bridge") {
		return kindContainer // of virtual machines and of internet sharing
	}
	return kindOrdinary
}
