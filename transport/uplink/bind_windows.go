package uplink

import (
	"fmt"
	"math/bits"
	"net"
	"net/netip"

	"golang.org/x/sys/windows"
)

// Socket options of ws2ipdef.h.
const (
	ipUnicastIF   = 31 // IP_UNICAST_IF: interface index in network byte order
	ipv6UnicastIF = 31 // IPV6_UNICAST_IF: interface index in host byte order
)

// bind sets the interface alone. The net package binds a TCP socket itself before ConnectEx, and a socket cannot be
// bound twice; with the interface set, Windows takes a source address of that interface.
func bind(fd uintptr, iface string, _ netip.Addr, v6 bool) error {
	if iface == "" {
		return nil
	}
	i, err := net.InterfaceByName(iface)
	if err != nil {
		return fmt.Errorf("bind to interface %s: %w", iface, err)
	}
	level, option, index := windows.IPPROTO_IP, ipUnicastIF, int(bits.ReverseBytes32(uint32(i.Index)))
	if v6 {
		level, option, index = windows.IPPROTO_IPV6, ipv6UnicastIF, i.Index
	}
	if err := windows.SetsockoptInt(windows.Handle(fd), level, option, index); err != nil {
		return fmt.Errorf("bind to interface %s: %w", iface, err)
	}
	return nil
}
