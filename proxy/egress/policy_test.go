package egress

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// own is the fixed set of the server's addresses in most tests.
func own(addrs ...string) *Own {
	list := make([]netip.Addr, len(addrs))
	for i, a := range addrs {
		list[i] = netip.MustParseAddr(a)
	}
	return NewOwn(nil, func() ([]netip.Addr, error) { return list, nil })
}

func prefixes(ps ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(ps))
	for i, p := range ps {
		list[i] = netip.MustParsePrefix(p)
	}
	return list
}

// inV4Forms is an IPv4 address in every form in which IPv6 can carry it.
func inV4Forms(a netip.Addr) map[string]netip.Addr {
	b := a.As4()
	var mapped, nat, six [16]byte
	mapped[10], mapped[11] = 0xff, 0xff
	copy(mapped[12:], b[:])
	copy(nat[:], []byte{0, 0x64, 0xff, 0x9b})
	copy(nat[12:], b[:])
	six[0], six[1] = 0x20, 0x02
	copy(six[2:], b[:])
	six[15] = 1
	return map[string]netip.Addr{
		"plain": a, "mapped": netip.AddrFrom16(mapped), "NAT64": netip.AddrFrom16(nat), "6to4": netip.AddrFrom16(six),
	}
}

func TestIPv4RangesAreDeniedInEveryForm(t *testing.T) {
	p := NewPolicy(nil, prefixes("203.0.113.0/24"), own("198.51.100.7"))
	// First and last address of each range, and the neighbours outside it.
	cases := []struct {
		first, last   string
		before, after string
		reason        string
	}{
		{"0.0.0.0", "0.255.255.255", "", "1.0.0.0", "unicast"},
		{"10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0", "private"},
		{"100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0", "carrier"},
		{"127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0", "loopback"},
		{"169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0", "link-local"},
		{"172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0", "private"},
		{"192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0", "protocol"},
		{"192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0", "private"},
		{"198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0", "benchmarking"},
		{"224.0.0.0", "239.255.255.255", "223.255.255.255", "", "multicast"},
		{"240.0.0.0", "255.255.255.255", "", "", "reserved"},
		{"203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0", "egress.deny"},
		{"198.51.100.7", "198.51.100.7", "198.51.100.6", "198.51.100.8", "server itself"},
	}
	for _, c := range cases {
		for _, s := range []string{c.first, c.last} {
			for form, a := range inV4Forms(netip.MustParseAddr(s)) {
				wantDenied(t, p, a, c.reason, form)
			}
		}
		for _, s := range []string{c.before, c.after} {
			if s == "" {
				continue
			}
			for form, a := range inV4Forms(netip.MustParseAddr(s)) {
				if err := p.Check(a); err != nil {
					t.Errorf("%s %v: %v; want permitted", form, a, err)
				}
			}
		}
	}
}

func wantDenied(t *testing.T, p *Policy, a netip.Addr, reason, form string) {
	t.Helper()
	var denied *DeniedError
	if err := p.Check(a); !errors.As(err, &denied) || !strings.Contains(denied.Reason, reason) {
		t.Errorf("%s %v: %v; want denied as %q", form, a, err, reason)
	}
}

func TestIPv6Ranges(t *testing.T) {
	p := NewPolicy(nil, prefixes("2600:bad::/32"), own("2600:5::1", "fe80::5"))
	denied := map[string]string{
		"::":                     "unicast",
		"::1":                    "loopback",
		"::8.8.8.8":              "global unicast", // IPv4-compatible, RFC 4291 §2.5.5.1
		"::ffff:0:8.8.8.8":       "global unicast", // IPv4-translated, RFC 2765 §2.1
		"64:ff9b:1::8.8.8.8":     "NAT64",
		"64:ff9b:1:ffff::1":      "NAT64",
		"100::1":                 "global unicast", // discard-only, RFC 6666
		"2001::1":                "Teredo",
		"2001:0:4136:e378::":     "Teredo",
		"2001:2::1":              "protocol",
		"2001:1ff:ffff::1":       "protocol",
		"2600:bad:1::1":          "egress.deny",
		"2600:5::1":              "server itself",
		"2600:5::1%eth0":         "server itself",
		"4000::1":                "global unicast",
		"5f00::1":                "global unicast",
		"fc00::1":                "unique-local",
		"fdff:ffff::1":           "unique-local",
		"fe80::1":                "link-local",
		"fe80::1%eth0":           "link-local",
		"febf::1":                "link-local",
		"fec0::1":                "site-local",
		"ff02::1":                "multicast",
		"::ffff:127.0.0.1%eth0":  "loopback",
		"64:ff9b::127.0.0.1":     "loopback",
		"64:ff9b::a9fe:a9fe":     "link-local",
		"2002:c0a8:101::1":       "private",
		"2002:7f00:1:ffff::ffff": "loopback",
	}
	for s, reason := range denied {
		wantDenied(t, p, netip.MustParseAddr(s), reason, "IPv6")
	}
	for _, s := range []string{"2000::1", "2001:200::1", "2001:4860:4860::8888", "2600:5::2", "2a00::1", "3ffe::1",
		"64:ff9b::8.8.8.8", "2002:808:808::1", "::ffff:8.8.8.8", "8.8.8.8"} {
		if err := p.Check(netip.MustParseAddr(s)); err != nil {
			t.Errorf("%s: %v; want permitted", s, err)
		}
	}
	wantDenied(t, p, netip.Addr{}, "not an address", "zero")
}

func TestAllowOverridesEverything(t *testing.T) {
	p := NewPolicy(prefixes("10.1.0.0/16", "::ffff:10.2.0.0/112", "fd00:1::/32", "127.0.0.1/32", "198.51.100.7/32"),
		prefixes("10.0.0.0/8", "127.0.0.0/8"), own("198.51.100.7"))
	for s, permitted := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "10.2.2.3": true, "fd00:1::5": true, "127.0.0.1": true,
		"198.51.100.7": true,
		"10.3.0.1":     false, "fd00:2::5": false, "127.0.0.2": false,
		// Another way to the same machine is not what was allowed.
		"64:ff9b::10.1.2.3": false, "2002:a01:203::1": false,
	} {
		if err := p.Check(netip.MustParseAddr(s)); (err == nil) != permitted {
			t.Errorf("%s: %v; want permitted %v", s, err, permitted)
		}
	}
}

func TestOwnAddressesAreLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := []netip.Addr{netip.MustParseAddr("198.51.100.1")}
		var broken error
		o := NewOwn([]netip.Addr{netip.MustParseAddr("192.0.2.99")}, func() ([]netip.Addr, error) { return now, broken })
		p := NewPolicy(nil, nil, o)
		first, second := netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("198.51.100.2")
		wantDenied(t, p, first, "server itself", "at the start")
		wantDenied(t, p, netip.MustParseAddr("192.0.2.99"), "server itself", "public address")

		t.Log("# the address moves; one second later the policy knows")
		now = []netip.Addr{second}
		time.Sleep(ownAge)
		wantDenied(t, p, second, "server itself", "after the change")
		if err := p.Check(first); err != nil {
			t.Errorf("address that has gone: %v; want permitted", err)
		}

		t.Log("# the list cannot be read: nothing is permitted that depends on it")
		broken = errors.New("no buffer space")
		time.Sleep(ownAge)
		wantDenied(t, p, netip.MustParseAddr("8.8.8.8"), "no buffer space", "while it is broken")
	})
}

func TestSystemListsLoopbackAsOwn(t *testing.T) {
	if ok, err := NewOwn(nil, nil).Has(netip.MustParseAddr("127.0.0.1")); !ok || err != nil {
		t.Errorf("127.0.0.1: %v, %v; want the server's own", ok, err)
	}
}

// FuzzCheck asserts that an IPv4 address is denied in whatever form it comes, and that nothing outside global unicast
// passes.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{"10.0.0.1", "8.8.8.8", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:a00:1::", "fe80::1", "2600::1"} {
		f.Add(netip.MustParseAddr(s).AsSlice())
	}
	p := NewPolicy(nil, nil, own("203.0.113.1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		err := p.Check(a)
		if a.Is4() {
			for form, other := range inV4Forms(a) {
				if (p.Check(other) == nil) != (err == nil) {
					t.Errorf("%v: %v, but as %s: %v", a, err, form, p.Check(other))
				}
			}
		}
		if u := a.Unmap(); err == nil && (!u.IsGlobalUnicast() || u.IsPrivate()) {
			t.Errorf("%v is permitted", a)
		}
	})
}
