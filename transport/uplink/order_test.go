package uplink

import (
	"net/netip"
	"slices"
	"testing"
)

func TestOrderOfTrying(t *testing.T) {
	a, b, c := netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("198.51.100.2"), netip.MustParseAddr("198.51.100.3")
	var o order
	want := func(why string, want ...netip.Addr) {
		t.Helper()
		got := []netip.Addr{a, b, c}
		o.sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", why, got, want)
		}
	}
	want("nothing is known", a, b, c)
	o.failed(a)
	want("a failed", b, c, a)
	o.failed(a)
	want("a failed again, as other sessions found", b, c, a)
	o.failed(b)
	want("b failed later than a", c, a, b)
	o.succeeded(a)
	want("a works", a, c, b)
	o.succeeded(b)
	want("b worked last", b, a, c)
	if best, ok := o.best(); !ok || best != b {
		t.Errorf("best is %v, %v", best, ok)
	}
	o.failed(b)
	want("b failed", a, c, b)
	o.keep([]netip.Addr{b, c})
	want("a forgotten", a, c, b)
	if best, ok := o.best(); ok {
		t.Errorf("best is %v where none works", best)
	}
}
