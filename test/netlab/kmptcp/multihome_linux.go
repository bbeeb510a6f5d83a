package kmptcp

import (
	"fmt"
	"net"

	"hawser/test/netlab"
)

// Multihome lets the kernels of a client and a server use all uplinks: MPTCP is on at both, each IPv4 address of the
// client's uplinks is an endpoint bound to its interface, and both ends allow as many subflows as the kernel can. The
// routes by source that the subflows need are those of netlab's uplinks.
func Multihome(m *netlab.Multihome) error {
	for _, h := range []*netlab.Host{m.Client, m.Server} {
		h.Sysctl("net.mptcp.enabled", "1")
		if err := SetLimits(h, Limits{Subflows: MaxSubflows, AddAddrs: MaxSubflows}); err != nil {
			return err
		}
	}
	for _, l := range m.Uplinks {
		index, err := interfaceIndex(m.Client, l.Interface(netlab.SideA))
		if err != nil {
			return err
		}
		e := Endpoint{Addr: l.Addr(netlab.SideA), Flags: Subflow, Index: index}
		if err := AddEndpoint(m.Client, e); err != nil {
			return err
		}
	}
	return nil
}

func interfaceIndex(h *netlab.Host, name string) (index int, err error) {
	err = h.Do(func() error {
		i, err := net.InterfaceByName(name)
		if err != nil {
			return fmt.Errorf("kmptcp: interface %s of %s: %w", name, h.Name(), err)
		}
		index = i.Index
		return nil
	})
	return index, err
}
