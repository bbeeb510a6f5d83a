package tcp

import (
	"net/netip"
	"time"

	"hawser/transport/wire"
)

// A SYN cookie is an initial sequence number that says everything about a handshake that nobody remembers (RFC 4987
// §3.6): from the top, 5 bits of the time, 3 of the peer's MSS, and 24 of a keyed hash over both, the pair of addresses
// and the peer's initial sequence number. What else the SYN offered travels in the low bits of our timestamp and comes
// back in the echo.
type cookies struct{ secret *[32]byte }

const (
	// cookieSlot is how long one hash is made; it is good for this slot and the next.
	cookieSlot  = 64 * time.Second
	cookieSlots = 1 << 5
	cookieMAC   = 1<<24 - 1
)

// cookieMSS are the sizes that a cookie can say: the largest that is not above the peer's counts.
var cookieMSS = [8]int{minMSS, 536, 1220, 1300, 1380, 1440, 1460, 8960}

// mssIndex is the place of mss in cookieMSS, from below.
func mssIndex(mss int) uint32 {
	i := len(cookieMSS) - 1
	for i > 0 && cookieMSS[i] > mss {
		i--
	}
	return uint32(i)
}

func cookieSlotOf(now time.Time) uint64 { return uint64(now.Unix()) / uint64(cookieSlot/time.Second) }

// mac hashes what a cookie vouches for.
func (c cookies) mac(local, remote netip.AddrPort, peerISN wire.Seq, slot uint64, mss uint32) uint32 {
	extra := uint64(peerISN)<<32 | slot<<3&0xffffffff | uint64(mss)
	return uint32(keyed(c.secret, forCookie, local, remote, extra)) & cookieMAC
}

// remembered turns a cookie into one that says nothing by itself, and back: what was granted to a peer without timestamps
// is known only while its handshake is remembered, and without that nobody may be connected.
func remembered(isn wire.Seq) wire.Seq { return isn ^ cookieMAC }

// make is the initial sequence number for a SYN that came now.
func (c cookies) make(local, remote netip.AddrPort, peerISN wire.Seq, mss int, now time.Time) wire.Seq {
	slot, i := cookieSlotOf(now), mssIndex(mss)
	return wire.Seq(uint32(slot%cookieSlots)<<27 | i<<24 | c.mac(local, remote, peerISN, slot, i))
}

// check tells whether isn was made for this handshake, at most two slots ago, and the MSS it says.
func (c cookies) check(local, remote netip.AddrPort, peerISN, isn wire.Seq, now time.Time) (mss int, ok bool) {
	slot := cookieSlotOf(now)
	i := uint32(isn) >> 24 & 7
	for range 2 {
		if slot%cookieSlots == uint64(isn)>>27 {
			if c.mac(local, remote, peerISN, slot, i) == uint32(isn)&cookieMAC {
				return cookieMSS[i], true
			}
			return 0, false
		}
		slot--
	}
	return 0, false
}

// The options that our timestamp carries in its low bits.
const (
	stampScale   = 0x0f // the peer's window scale; stampNoScale: it has sent none
	stampNoScale = 0x0f
	stampSACK    = 0x10
	stampECN     = 0x20
	stampBits    = 0x3f
)

// stampWith puts what the SYN offered into the timestamp ts, which must not get later than it is (RFC 7323 §5.4).
func stampWith(ts uint32, p *peer) uint32 {
	bits := uint32(stampNoScale)
	if p.scaled {
		bits = uint32(p.scale)
	}
	if p.sack {
		bits |= stampSACK
	}
	if p.ecn {
		bits |= stampECN
	}
	out := ts&^stampBits | bits
	if tsBefore(ts, out) {
		out -= stampBits + 1
	}
	return out
}

// stampOptions reads them from the echo.
func stampOptions(ts uint32, p *peer) {
	scale := uint8(ts & stampScale)
	p.scaled = scale != stampNoScale
	if p.scaled {
		p.scale = min(scale, maxScale)
	}
	p.sack, p.ecn = ts&stampSACK != 0, ts&stampECN != 0
}
