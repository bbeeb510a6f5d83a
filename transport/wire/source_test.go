package wire

import (
	"net/netip"
	"testing"
)

func TestSourceIsAnIPv4AddressOrAnIPv6Network(t *testing.T) {
	for addr, want := range map[string]string{
		"198.51.100.7":         "198.51.100.7/32",
		"::ffff:198.51.100.7":  "198.51.100.7/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"fe80::1:2:3:4%eth0":   "fe80::/64",
		"2001:db8:1:2:ffff::1": "2001:db8:1:2::/64",
		"2001:db8:1:3::":       "2001:db8:1:3::/64",
		"::":                   "::/64",
		"0.0.0.0":              "0.0.0.0/32",
	} {
		if got := SourceOf(netip.MustParseAddr(addr)); got != netip.MustParsePrefix(want) {
			t.Errorf("%s belongs to %v, want %s", addr, got, want)
		}
	}
	if got := SourceOf(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("no address belongs to %v", got)
	}
}
