package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// place is an address of the command line and the interface that goes with it.
type place struct {
	netip.AddrPort        // without a zone
	zone           string // name of an interface; empty: none was given
}

// String is the address with its zone.
func (p place) String() string {
	return netip.AddrPortFrom(p.Addr().WithZone(p.zone), p.Port()).String()
}

// endpointOf reads the address and port of a flag.
func endpointOf(flag, text, examples string) (place, error) {
	at, err := netip.ParseAddrPort(text)
	if err != nil || at.Port() == 0 {
		return place{}, fmt.Errorf("--%s %q: give an address and a port, as %s; names are not looked up", flag, text, examples)
	}
	return placeOf(flag, at.Addr(), at.Port())
}

// placeOf splits the zone off an address. Zones are names of interfaces, and mean something for link-local addresses alone
// (RFC 4007 §11).
func placeOf(flag string, a netip.Addr, port uint16) (place, error) {
	zone := a.Zone()
	a = a.WithZone("").Unmap()
	p := place{AddrPort: netip.AddrPortFrom(a, port), zone: zone}
	switch {
	case zone == "":
		return p, nil
	case !a.Is6() || !a.IsLinkLocalUnicast():
		return p, fmt.Errorf("--%s: %v is not link-local: leave %%%s away", flag, a, zone)
	}
	if _, err := net.InterfaceByName(zone); err != nil {
		return p, fmt.Errorf("--%s: there is no interface %s: `ip link` lists those there are", flag, zone)
	}
	return p, nil
}

// listenPlace is what --on says: an address of this machine that others can reach.
func (o *options) listenPlace() (place, error) {
	on, err := endpointOf("on", o.on, "0.0.0.0:7443 or [::]:7443")
	a := on.Addr()
	switch {
	case err != nil:
		return on, err
	case a.IsUnspecified():
		return on, nil
	case a.IsLoopback():
		return on, fmt.Errorf("--on %v: the raw carrier hears other machines only: give an address that they reach, or 0.0.0.0 or [::] for all", a)
	case needsZone(a) && on.zone == "":
		return on, fmt.Errorf("--on %v: a link-local address needs its interface: [%[1]v%%INTERFACE]:%d", a, on.Port())
	}
	_, err = interfaceOf("on", a, on.zone)
	return on, err
}

// connectPlaces are what --to and --from say: the peer, the own address to use, and the interface to use.
func (o *options) connectPlaces(ctx context.Context) (to place, local netip.Addr, iface string, err error) {
	if to, err = endpointOf("to", o.to, "198.51.100.7:7443 or [2001:db8::7]:7443"); err != nil {
		return to, local, "", err
	}
	var from place
	if o.from != "" {
		a, err := netip.ParseAddr(o.from)
		if err != nil {
			return to, local, "", fmt.Errorf("--from %q: give an address of this machine, without a port", o.from)
		}
		if from, err = placeOf("from", a, 0); err != nil {
			return to, local, "", err
		}
	}
	switch {
	case to.zone == "":
		to.zone = from.zone
	case from.zone == "":
		from.zone = to.zone
	case from.zone != to.zone:
		return to, local, "", fmt.Errorf("--to names the interface %s and --from %s: they must be the same", to.zone, from.zone)
	}
	if err = checkPeer(to); err != nil {
		return to, local, "", err
	}
	if local = from.Addr(); o.from == "" {
		if local, err = source(ctx, to); err != nil {
			return to, local, "", err
		}
		if local == to.Addr() { // the system delivers to itself what none of its interfaces has, too
			return to, local, "", ownAddress(local)
		}
	}
	iface, err = sourceInterface(to, local, from.zone)
	return to, local, iface, err
}

// sourceInterface checks the own address of a connection, and gives the interface that has it.
func sourceInterface(to place, local netip.Addr, zone string) (string, error) {
	switch {
	case local.Is4() != to.Addr().Is4():
		return "", fmt.Errorf("--from %v and --to %v: both must be IPv4, or both IPv6", local, to.Addr())
	case local.IsLoopback(), local.IsUnspecified():
		return "", fmt.Errorf("--from %v: no other machine can answer to that: give an address of this machine that the peer reaches", local)
	}
	return interfaceOf("from", local, zone)
}

// checkPeer refuses what is no address of another machine.
func checkPeer(to place) error {
	a := to.Addr()
	switch {
	case a.IsUnspecified():
		return fmt.Errorf("--to %v: that stands for all addresses of this machine, and the raw carrier reaches other machines only: give the peer's address", a)
	case a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("--to %v: that is a group: give the address of one machine", a)
	case needsZone(a) && to.zone == "":
		return fmt.Errorf("--to %v: a link-local address needs its interface: [%[1]v%%INTERFACE]:%d", a, to.Port())
	case a.IsLoopback():
		return ownAddress(a)
	}
	_, err := interfaceOf("to", a, "")
	switch {
	case err == nil:
		return ownAddress(a)
	case errors.Is(err, errNobodys):
		return nil
	}
	return err
}

// ownAddress says why a connection to this machine itself is refused.
func ownAddress(a netip.Addr) error {
	return fmt.Errorf("--to %v: that is an address of this machine, and the raw carrier reaches other machines only: run the peer elsewhere, or in a network namespace of its own", a)
}

// needsZone says whether an address means something on one link only.
func needsZone(a netip.Addr) bool { return a.Is6() && a.IsLinkLocalUnicast() }

// source is the own address that the system would use towards a peer.
func source(ctx context.Context, to place) (netip.Addr, error) {
	at := netip.AddrPortFrom(to.Addr().WithZone(to.zone), to.Port())
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp", at.String()) // sends nothing: the system chooses the source address
	if err != nil {
		return netip.Addr{}, fmt.Errorf("no way to %v: check the routes with `ip route get %v` (%w)", at, to.Addr(), err)
	}
	defer c.Close()
	a, err := netip.ParseAddrPort(c.LocalAddr().String())
	return a.Addr().WithZone("").Unmap(), err
}

// errNobodys: the address is none of this machine's.
var errNobodys = errors.New("give one of this machine's addresses, which `ip addr` lists")

// interfaceOf is the name of the interface that has an address: of the one of that name, or of any for "".
func interfaceOf(flag string, a netip.Addr, name string) (string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return "", fmt.Errorf("list the interfaces: %w", err)
	}
	for _, i := range all {
		if name != "" && i.Name != name {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return "", fmt.Errorf("list the addresses of %s: %w", i.Name, err)
		}
		for _, have := range addrs {
			if p, err := netip.ParsePrefix(have.String()); err == nil && p.Addr().Unmap() == a {
				return i.Name, nil
			}
		}
	}
	if name != "" {
		return "", fmt.Errorf("--%s: interface %s does not have the address %v: %w", flag, name, a, errNobodys)
	}
	return "", fmt.Errorf("--%s: no interface has the address %v: %w", flag, a, errNobodys)
}
