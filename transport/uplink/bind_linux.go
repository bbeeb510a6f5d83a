package uplink

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

func bind(fd uintptr, iface string, local netip.Addr, v6 bool) error {
	if iface != "" {
		err := unix.BindToDevice(int(fd), iface)
		if err != nil && (!errors.Is(err, unix.EPERM) || !local.IsValid()) {
			return fmt.Errorf("bind to interface %s: %w", iface, err)
		}
	}
	if !local.IsValid() {
		return nil
	}
	// The port is chosen at connect, so that many connections can share one (IP_BIND_ADDRESS_NO_PORT, Linux 4.2; older
	// kernels refuse it and lose only that).
	_ = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	return bindSource(int(fd), local, v6)
}
