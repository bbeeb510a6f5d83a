//go:build unix && !linux && !darwin

package uplink

import "net/netip"

// bind sets the source address alone: these systems have no option for the device.
func bind(fd uintptr, _ string, local netip.Addr, v6 bool) error {
	if !local.IsValid() {
		return nil
	}
	return bindSource(int(fd), local, v6)
}
