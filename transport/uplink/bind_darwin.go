package uplink

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

func bind(fd uintptr, iface string, local netip.Addr, v6 bool) error {
	if iface != "" {
		i, err := net.InterfaceByName(iface)
		if err != nil {
			return fmt.Errorf("bind to interface %s: %w", iface, err)
		}
		level, option := unix.IPPROTO_IP, unix.IP_BOUND_IF
		if v6 {
			level, option = unix.IPPROTO_IPV6, unix.IPV6_BOUND_IF
		}
		if err := unix.SetsockoptInt(int(fd), level, option, i.Index); err != nil {
			return fmt.Errorf("bind to interface %s: %w", iface, err)
		}
	}
	if !local.IsValid() {
		return nil
	}
	return bindSource(int(fd), local, v6)
}
