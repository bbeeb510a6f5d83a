package uplink

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// router answers routeCheck with a socket of its own, in the network namespace of the monitor.
type router struct {
	mu sync.Mutex
	h  *netlink.Handle // guarded by mu; nil: closed
}

// check asks the kernel, with its rules and all tables, whether a socket that is bound to a device and a source
// address would find a route. Without this, a socket bound to a device that has no route takes every IPv4 destination
// for a neighbour on that link and fails seconds later with "no route to host".
func (r *router) check(index int, local, remote netip.Addr) error {
	o := &netlink.RouteGetOptions{OifIndex: index, FIBMatch: true}
	if local.IsValid() {
		o.SrcAddr = local.AsSlice()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.h == nil {
		return nil
	}
	_, err := r.h.RouteGetWithOptions(remote.AsSlice(), o)
	switch {
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.EACCES):
		return fmt.Errorf("no route to %s from %s: add one, or a rule and a table for this uplink (%w)", remote, local, err)
	default: // what the kernel does not answer plainly, a connection attempt finds out
		return nil
	}
}

func (r *router) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.h.Close()
	r.h = nil
}
