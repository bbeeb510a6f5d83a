package tcp

import (
	"net/netip"
	"time"

	"hawser/transport/wire"
)

// sources limits how often one source is answered, in a table of fixed size (1 MB): a source is an IPv4 address or an IPv6
// /64, and those that fall on one place share it. The hash is keyed, so nobody can choose whose place to use up, and there
// are so many places that a flood from sources at random uses none up below 3 million segments a second: everybody is then
// answered by cookie. The price of a limit for each source is that whoever can send in the name of one source uses up that
// one's; a refusal takes nothing from what SYNs have.
type sources struct {
	secret  *[32]byte
	rate    float64 // answers/s
	burst   float64
	begin   time.Time // of the first
	buckets [1 << 16]bucket
}

// bucket is the allowance of a place. The zero one is full.
type bucket struct {
	at    time.Duration // when spent was that, since begin
	spent float32
}

// allow takes one answer from the allowance that a has for a purpose.
func (s *sources) allow(p purpose, a netip.Addr, now time.Time) bool {
	if s.begin.IsZero() {
		s.begin = now
	}
	who := netip.AddrPortFrom(wire.SourceOf(a).Addr(), 0)
	b := &s.buckets[keyed(s.secret, p, who, who, 0)%uint64(len(s.buckets))]
	if at := now.Sub(s.begin); at > b.at {
		b.spent = max(0, b.spent-float32((at-b.at).Seconds()*s.rate))
		b.at = at
	}
	if float64(b.spent)+1 > s.burst {
		return false
	}
	b.spent++
	return true
}
