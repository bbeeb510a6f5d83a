package egress

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// ownAge is how old the list of the server's addresses may be. Listing them costs the kernel some 50 µs, too much for
// each of thousands of streams a second; addresses that come and go are to be noticed within a second.
const ownAge = time.Second

// Own is the set of the server's own addresses, live. It may be used from any goroutine.
type Own struct {
	list   func() ([]netip.Addr, error)
	static []netip.Addr

	mu   sync.Mutex
	read time.Time // when set was last listed; zero: never
	set  map[netip.Addr]struct{}
}

// NewOwn makes the set. static are addresses besides those of the interfaces, such as the public address of a server
// behind NAT; list says which addresses the interfaces have, nil asks the system.
func NewOwn(static []netip.Addr, list func() ([]netip.Addr, error)) *Own {
	if list == nil {
		list = interfaceAddrs
	}
	return &Own{list: list, static: static}
}

// Has tells whether a is one of them. It fails when they cannot be listed.
func (o *Own) Has(a netip.Addr) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.read.IsZero() || time.Since(o.read) >= ownAge {
		if err := o.refresh(); err != nil {
			return false, err
		}
	}
	_, ok := o.set[a.WithZone("").Unmap()]
	return ok, nil
}

func (o *Own) refresh() error {
	addrs, err := o.list()
	if err != nil {
		return fmt.Errorf("egress: list the addresses of the interfaces: %w", err)
	}
	o.set = make(map[netip.Addr]struct{}, len(addrs)+len(o.static))
	for _, list := range [][]netip.Addr{addrs, o.static} {
		for _, a := range list {
			o.set[a.WithZone("").Unmap()] = struct{}{}
		}
	}
	o.read = time.Now()
	return nil
}

func interfaceAddrs() ([]netip.Addr, error) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	addrs := make([]netip.Addr, 0, len(list))
	for _, n := range list {
		if p, ok := n.(*net.IPNet); ok {
			if a, ok := netip.AddrFromSlice(p.IP); ok {
				addrs = append(addrs, a)
			}
		}
	}
	return addrs, nil
}
