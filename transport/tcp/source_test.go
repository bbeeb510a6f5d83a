package tcp

import (
	"net/netip"
	"testing"
	"time"

	"hawser/transport/wire"
)

// RFC 4987 §3.6: cookies are for the time of a flood. One of 300 000 SYNs a second from addresses at random does not keep
// anybody else from being answered, and what answers them completes.
func TestOthersAreAnsweredInAFlood(t *testing.T) {
	const rate = 300_000
	d := newDesk(t, nil)
	var s wire.Segment
	x := uint32(12345)
	asked, served := 0, 0
	for i := range rate * 3 / 4 {
		d.now = d.now.Add(time.Second / rate)
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		from := netip.AddrFrom4([4]byte{byte(x>>24)%200 + 1, byte(x >> 16), byte(x >> 8), byte(x)})
		d.syn(netip.AddrPortFrom(from, 1000), wire.Seq(i), fullSYN(), 0)
		for d.l.Emit(d.now, &s) {
		}
		if i < rate/2 || i%500 != 0 {
			continue
		}
		asked++
		d.syn(netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(i), byte(i >> 8)}), 999), 7, fullSYN(), 0)
		if r := d.reply(); r != nil {
			if m, _ := d.complete(r, ""); m != nil {
				served++
			}
		}
	}
	if asked < 100 || served != asked {
		t.Errorf("%d of %d others were served", served, asked)
	}
}

// An IPv6 host has a /64 to itself: all of it is one source, and the next one is another.
func TestASourceIsASlash64(t *testing.T) {
	d := newDesk(t, func(c *ListenerConfig) { c.SYNRate, c.HalfOpenPerSource = 10, 3 })
	ask := func(prefix string) (answers int) {
		a := netip.MustParseAddr(prefix).As16()
		for i := range 100 {
			a[15], a[8] = byte(i), byte(i*7)
			d.l.Receive(d.now, &wire.Segment{Src: netip.AddrPortFrom(netip.AddrFrom16(a), 9), Dst: netip.MustParseAddrPort("[2001:db8::1]:443"),
				Seq: wire.Seq(i), Flags: wire.SYN, Window: 1000, Options: fullSYN()})
			for d.reply() != nil {
				answers++
			}
		}
		return answers
	}
	if n := ask("2001:db8:5::"); n != 20 || d.l.HalfOpen() != 3 {
		t.Errorf("a /64 got %d answers at once and %d places, want 20 and 3", n, d.l.HalfOpen())
	}
	if n := ask("2001:db8:5:1::"); n != 20 || d.l.HalfOpen() != 6 {
		t.Errorf("the next /64 got %d answers, and both have %d places", n, d.l.HalfOpen())
	}
	d.now = d.now.Add(time.Second)
	if n := ask("2001:db8:5::"); n != 10 {
		t.Errorf("a second later it got %d more, want 10", n)
	}
}
