package uplink

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
)

// order remembers which addresses of the server worked over an uplink: the last one that did comes first, untried
// ones follow, then those that failed, the latest failure last. The zero value knows nothing.
type order struct {
	turn map[netip.Addr]int // < 0: worked, the smaller the later; > 0: failed, the larger the later
	last int
}

// succeeded puts an address first.
func (o *order) succeeded(a netip.Addr) { o.set(a, -1) }

// failed puts an address last.
func (o *order) failed(a netip.Addr) { o.set(a, +1) }

func (o *order) set(a netip.Addr, sign int) {
	if o.turn == nil {
		o.turn = make(map[netip.Addr]int)
	}
	o.last++
	o.turn[a] = sign * o.last
}

// best is the address that worked last and has not failed since.
func (o *order) best() (best netip.Addr, ok bool) {
	turn := 0
	for a, n := range o.turn {
		if n < turn {
			best, turn, ok = a, n, true
		}
	}
	return best, ok
}

// sort puts addresses into the order of trying; untried ones keep theirs.
func (o *order) sort(as []netip.Addr) {
	slices.SortStableFunc(as, func(a, b netip.Addr) int { return cmp.Compare(o.turn[a], o.turn[b]) })
}

// keep forgets all addresses but these.
func (o *order) keep(as []netip.Addr) {
	maps.DeleteFunc(o.turn, func(a netip.Addr, _ int) bool { return !slices.Contains(as, a) })
}
