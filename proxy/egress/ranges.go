package egress

import "net/netip"

// rangeReason is a range that is denied, and what a person calls it.
type rangeReason struct {
	prefix netip.Prefix
	reason string
}

func denied(prefix, reason string) rangeReason {
	return rangeReason{netip.MustParsePrefix(prefix), reason}
}

// denied4 is IPv4 that is not global unicast (IANA special-purpose registry, RFC 6890).
var denied4 = []rangeReason{
	denied("0.0.0.0/8", "not a unicast address"),       // RFC 791 §3.2: this network; Linux connects 0.0.0.0 to itself
	denied("10.0.0.0/8", "a private address"),          // RFC 1918
	denied("100.64.0.0/10", "a carrier's own address"), // RFC 6598, shared address space
	denied("127.0.0.0/8", "a loopback address"),        // RFC 1122 §3.2.1.3
	denied("169.254.0.0/16", "a link-local address"),   // RFC 3927; cloud metadata services
	denied("172.16.0.0/12", "a private address"),       // RFC 1918
	denied("192.0.0.0/24", "a protocol's own address"), // RFC 6890
	denied("192.168.0.0/16", "a private address"),      // RFC 1918
	denied("198.18.0.0/15", "a benchmarking address"),  // RFC 2544
	denied("224.0.0.0/4", "a multicast address"),       // RFC 5771
	denied("240.0.0.0/4", "a reserved address"),        // RFC 1112 §4, and 255.255.255.255
}

// denied6 are names for ranges of IPv6; whatever is outside global6 and nat64 is denied with or without a name.
var denied6 = []rangeReason{
	denied("::/128", "not a unicast address"),                 // RFC 4291 §2.5.2
	denied("::1/128", "a loopback address"),                   // RFC 4291 §2.5.3
	denied("64:ff9b:1::/48", "a local NAT64 address"),         // RFC 8215
	denied("2001::/23", "a protocol's own address or Teredo"), // RFC 2928; 2001::/32 is RFC 4380
	denied("fc00::/7", "a unique-local address"),              // RFC 4193
	denied("fe80::/10", "a link-local address"),               // RFC 4291 §2.5.6
	denied("fec0::/10", "a site-local address"),               // RFC 3879
	denied("ff00::/8", "a multicast address"),                 // RFC 4291 §2.7
}

var (
	global6   = netip.MustParsePrefix("2000::/3")     // all that IANA has allocated as global unicast
	nat64     = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052 §2.1: IPv4 in the last four bytes
	sixToFour = netip.MustParsePrefix("2002::/16")    // RFC 3056 §2: IPv4 in bytes 2 to 5
)

// rangeOf says why a range denies a; empty: none does. a must be unmapped and without zone.
func rangeOf(a netip.Addr) string {
	ranges := denied6
	if a.Is4() {
		ranges = denied4
	}
	for _, r := range ranges {
		if r.prefix.Contains(a) {
			return r.reason
		}
	}
	if a.Is6() && !global6.Contains(a) && !nat64.Contains(a) {
		return "not a global unicast address"
	}
	return ""
}

// embedded is the IPv4 address that an IPv6 address stands for, if it does.
func embedded(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}
