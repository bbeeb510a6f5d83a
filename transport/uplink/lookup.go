package uplink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

const (
	// lookupTimeout bounds the resolution of a name.
	lookupTimeout = 8 * time.Second
	// lookupHedge is when the system is asked as well: the nameservers are often those of another uplink's provider,
	// who does not answer strangers.
	lookupHedge = time.Second
	// maxAnswers bounds the addresses of a name that are tried.
	maxAnswers = 16
)

// Lookup resolves a name through an uplink: with the system's nameservers, asked from the uplink's device and address.
// When that fails or takes longer than a second, the system is asked without binding. network is "ip", "ip4" or "ip6".
// Addresses nobody can be reached at (unspecified, multicast) are left out.
func Lookup(ctx context.Context, u Uplink, network, host string) ([]netip.Addr, error) {
	bound := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, server string) (net.Conn, error) {
		return dialNameserver(ctx, u, network, server)
	}}
	as, err := hedge(ctx, lookupHedge,
		func(ctx context.Context) ([]netip.Addr, error) { return bound.LookupNetIP(ctx, network, host) },
		func(ctx context.Context) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, network, host)
		})
	if err != nil {
		return nil, err
	}
	if as = reachable(as); len(as) == 0 {
		return nil, fmt.Errorf("%s has no address that can be reached: check its DNS records", host)
	}
	return as, nil
}

// dialNameserver opens a connection to a nameserver over an uplink. One on loopback (systemd-resolved, Docker) is on
// no uplink and is asked as it is.
func dialNameserver(ctx context.Context, u Uplink, network, server string) (net.Conn, error) {
	d := net.Dialer{}
	at, err := netip.ParseAddrPort(server)
	if err != nil {
		return nil, fmt.Errorf("nameserver %s: %w", server, err)
	}
	if remote := at.Addr().Unmap(); !remote.IsLoopback() {
		local := localFor(u, remote)
		if !local.IsValid() && !remote.IsLinkLocalUnicast() {
			return nil, fmt.Errorf("nameserver %s: uplink %s has no address of that family", server, u.Name)
		}
		if remote.IsLinkLocalUnicast() {
			local = netip.Addr{} // the system picks the one of that link
		}
		d.Control = Bind(u.Interface, local)
	}
	return d.DialContext(ctx, network, server)
}

// hedge returns the first success of two attempts, the second of which starts when the first fails or after a delay.
// The context of both ends with its return, after lookupTimeout at the latest.
func hedge[T any](ctx context.Context, after time.Duration, one, two func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	type result struct {
		v   T
		err error
	}
	results := make(chan result, 2) // room for both: neither attempt waits for a reader
	run := func(f func(context.Context) (T, error)) {
		v, err := f(ctx)
		results <- result{v, err}
	}
	go run(one)
	late := time.NewTimer(after)
	defer late.Stop()
	started, failed := 1, []error(nil)
	var none T
	for {
		select {
		case <-late.C:
			if started == 1 {
				started++
				go run(two)
			}
		case r := <-results:
			if r.err == nil {
				return r.v, nil
			}
			failed = append(failed, r.err)
			if len(failed) == 2 {
				return none, failed[1]
			}
			if started == 1 {
				started++
				go run(two)
			}
		case <-ctx.Done():
			return none, errors.Join(append(failed, ctx.Err())...)
		}
	}
}

// reachable leaves out what no server can have, and bounds the rest.
func reachable(as []netip.Addr) []netip.Addr {
	var out []netip.Addr
	for _, a := range as {
		a = a.Unmap()
		if !a.IsUnspecified() && !a.IsMulticast() && !a.IsLinkLocalUnicast() && len(out) < maxAnswers {
			out = append(out, a)
		}
	}
	return out
}
