package egress

import (
	"fmt"
	"net/netip"
	"slices"
)

// Policy says which addresses streams may be connected to. It may be used from any goroutine.
type Policy struct {
	allow, deny []netip.Prefix
	own         *Own
}

// NewPolicy makes a policy: allow overrides everything that is denied, deny adds to what is always denied, and own
// are the server's addresses (required).
func NewPolicy(allow, deny []netip.Prefix, own *Own) *Policy {
	return &Policy{allow: unmapped(allow), deny: unmapped(deny), own: own}
}

// unmapped turns IPv4-mapped prefixes into IPv4 ones, because addresses are compared in that form.
func unmapped(ps []netip.Prefix) []netip.Prefix {
	ps = slices.Clone(ps)
	for i, p := range ps {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			ps[i] = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
	}
	return ps
}

// Check returns nil when a may be connected to, else a *DeniedError.
func (p *Policy) Check(a netip.Addr) error {
	if !a.IsValid() {
		return &DeniedError{a, "not an address"}
	}
	a = a.WithZone("").Unmap() // a zone is an interface of the server: only link-local addresses have one
	if contains(p.allow, a) {
		return nil
	}
	if reason := p.reason(a); reason != "" {
		return &DeniedError{a, reason}
	}
	if inner, ok := embedded(a); ok {
		if reason := p.reason(inner); reason != "" {
			return &DeniedError{a, fmt.Sprintf("another form of %v, %s", inner, reason)}
		}
	}
	return nil
}

// allowed tells whether a is allowed by name, whatever denies it.
func (p *Policy) allowed(a netip.Addr) bool { return contains(p.allow, a.WithZone("").Unmap()) }

func (p *Policy) reason(a netip.Addr) string {
	if r := rangeOf(a); r != "" {
		return r
	}
	if contains(p.deny, a) {
		return "listed in egress.deny"
	}
	switch own, err := p.own.Has(a); {
	case err != nil:
		return "not checked against the server's own addresses: " + err.Error()
	case own:
		return "an address of the server itself"
	}
	return ""
}

func contains(ps []netip.Prefix, a netip.Addr) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// DeniedError says which address the policy denies, and why.
type DeniedError struct {
	Addr   netip.Addr
	Reason string // completes "the address is …"
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("egress: %v is denied: it is %s (egress.allow may permit it)", e.Addr, e.Reason)
}
