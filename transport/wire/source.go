package wire

import "net/netip"

// SourceOf is the network whose owner an address most likely belongs to, which is what limits for each source count: an
// IPv4 address, an IPv6 /64, for whoever has one address of that has all of it. An invalid address has the zero prefix.
func SourceOf(a netip.Addr) netip.Prefix {
	bits := 32
	if a = a.Unmap(); a.Is6() {
		bits = 64
	}
	p, _ := a.WithZone("").Prefix(bits) // fails only for an invalid address
	return p
}
