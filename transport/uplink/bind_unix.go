//go:build unix

package uplink

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// bindSource binds a socket to a source address and no port.
func bindSource(fd int, local netip.Addr, v6 bool) error {
	var sa unix.Sockaddr
	if v6 {
		sa = &unix.SockaddrInet6{Addr: local.As16()}
	} else {
		sa = &unix.SockaddrInet4{Addr: local.As4()}
	}
	if err := unix.Bind(fd, sa); err != nil {
		return fmt.Errorf("bind to source address %s: %w", local, err)
	}
	return nil
}
