//go:build !linux

package uplink

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// pollInterval is how often the interfaces are read where the system is not asked for announcements.
const pollInterval = 500 * time.Millisecond

// monitor reports the network twice a second until ctx ends or it cannot be read. Set drops what has not changed.
func monitor(ctx context.Context, o observer) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		now, err := read(o.routes)
		if err != nil {
			return err
		}
		o.deliver(now)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// read takes a snapshot.
func read(routes bool) (snapshot, error) {
	is, err := net.Interfaces()
	if err != nil {
		return snapshot{}, fmt.Errorf("read interfaces: %w", err)
	}
	var s snapshot
	for _, i := range is {
		s.links = append(s.links, linkOf(i))
	}
	if routes {
		if s.defaults, err = defaults(); err != nil {
			return snapshot{}, fmt.Errorf("read routes: %w", err)
		}
	}
	return s, nil
}

func linkOf(i net.Interface) link {
	l := link{
		index:   i.Index,
		name:    i.Name,
		kind:    kindOf(i),
		up:      i.Flags&net.FlagUp != 0,
		carrier: i.Flags&net.FlagRunning != 0,
	}
	if i.Flags&net.FlagLoopback != 0 {
		l.kind = kindLoopback
	}
	as, err := i.Addrs()
	if err != nil { // it has just gone; the next reading will not list it
		return l
	}
	for _, a := range as {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				l.addrs = append(l.addrs, address{ip: ip.Unmap()})
			}
		}
	}
	return l
}
