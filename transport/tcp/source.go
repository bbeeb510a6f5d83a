package tcp

import (
	"net/netip"
	"time"
)

// sources limits how often one source is answered, in a table of fixed size: a source is an IPv4 address or an IPv6 /64,
// and those that fall on one place share it. The hash is keyed, so nobody can choose whose place to use up.
type sources struct {
	secret  *[32]byte
	rate    float64 // answers/s
	burst   float64
	buckets [1024]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// sourceOf is the part of an address that a host cannot change at will.
func sourceOf(a netip.Addr) netip.Addr {
	if a.Is4() {
		return a
	}
	p, _ := a.Prefix(64)
	return p.Addr()
}

// allow takes one answer from the allowance of a.
func (s *sources) allow(a netip.Addr, now time.Time) bool {
	who := netip.AddrPortFrom(sourceOf(a), 0)
	b := &s.buckets[keyed(s.secret, forSource, who, who, 0)%uint64(len(s.buckets))]
	if b.at.IsZero() {
		b.tokens = s.burst
	} else if d := now.Sub(b.at); d > 0 {
		b.tokens = min(s.burst, b.tokens+d.Seconds()*s.rate)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
