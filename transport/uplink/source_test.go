package uplink

import (
	"net/netip"
	"slices"
	"testing"
)

func TestSourcesAreOrderedByUse(t *testing.T) {
	a := func(s string) address { return address{ip: netip.MustParseAddr(s)} }
	deprecated, temporary, unfinished := a("2001:db8:1::1"), a("2001:db8:2::2"), a("2001:db8:3::3")
	deprecated.deprecated, temporary.temporary, unfinished.tentative = true, true, true
	secondary := a("192.0.2.1")
	secondary.temporary = true
	for _, c := range []struct {
		name   string
		as     []address
		v4, v6 string
	}{
		{"global before unique local", []address{a("fd00::1"), a("2001:db8::1")}, "[]", "[2001:db8::1 fd00::1]"},
		{"stable before temporary before unique local", []address{a("fd00::1"), temporary, a("2001:db8:9::1")}, "[]", "[2001:db8:9::1 2001:db8:2::2 fd00::1]"},
		{"deprecated last", []address{deprecated, a("fd00::1")}, "[]", "[fd00::1 2001:db8:1::1]"},
		{"tentative and link-local never", []address{unfinished, a("fe80::1")}, "[]", "[]"},
		{"equal ones by value, not by age", []address{a("2001:db8::9"), a("2001:db8::1")}, "[]", "[2001:db8::1 2001:db8::9]"},
		{"IPv4: primary before secondary", []address{secondary, a("192.0.2.9")}, "[192.0.2.9 192.0.2.1]", "[]"},
		{"IPv4: the kernel's order", []address{a("192.0.2.9"), a("192.0.2.1")}, "[192.0.2.9 192.0.2.1]", "[]"},
		{"IPv4: self-assigned last", []address{a("169.254.3.3"), a("192.168.1.2")}, "[192.168.1.2 169.254.3.3]", "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v4, v6 := sources(c.as)
			if got := text(v4); got != c.v4 {
				t.Errorf("IPv4 %s, want %s", got, c.v4)
			}
			if got := text(v6); got != c.v6 {
				t.Errorf("IPv6 %s, want %s", got, c.v6)
			}
		})
	}
}

func text(as []netip.Addr) string {
	s := "["
	for i, a := range as {
		if i > 0 {
			s += " "
		}
		s += a.String()
	}
	return s + "]"
}

func TestSourceFitsTheDestination(t *testing.T) {
	u := Uplink{
		V4: []netip.Addr{netip.MustParseAddr("192.0.2.7")},
		V6: []netip.Addr{netip.MustParseAddr("2001:db8::7"), netip.MustParseAddr("fd00::7")},
	}
	for remote, want := range map[string]string{
		"198.51.100.1": "192.0.2.7", "2001:db8:9::1": "2001:db8::7", "fd00:9::1": "fd00::7",
	} {
		if got := localFor(u, netip.MustParseAddr(remote)); got.String() != want {
			t.Errorf("source for %s is %s, want %s", remote, got, want)
		}
	}
	if got := localFor(Uplink{V4: u.V4}, netip.MustParseAddr("2001:db8::1")); got.IsValid() {
		t.Errorf("source %s for a family that the uplink does not have", got)
	}
}

func TestAddressesOfOneNameAlternateByFamily(t *testing.T) {
	both := Uplink{V4: []netip.Addr{netip.MustParseAddr("192.0.2.7")}, V6: []netip.Addr{netip.MustParseAddr("2001:db8::7")}}
	local := Uplink{V4: both.V4, V6: []netip.Addr{netip.MustParseAddr("fd00::7")}}
	answers := []netip.Addr{
		netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("198.51.100.2"),
		netip.MustParseAddr("2001:db8:9::1"), netip.MustParseAddr("2001:db8:9::2"), netip.MustParseAddr("2001:db8:9::3"),
	}
	for _, c := range []struct {
		name string
		u    Uplink
		want string
	}{
		{"IPv6 first", both, "[2001:db8:9::1 198.51.100.1 2001:db8:9::2 198.51.100.2 2001:db8:9::3]"},
		{"IPv4 first where IPv6 is only local", local, "[198.51.100.1 2001:db8:9::1 198.51.100.2 2001:db8:9::2 2001:db8:9::3]"},
	} {
		if got := text(alternate(slices.Clone(answers), c.u)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
