package cc

import (
	"slices"
	"testing"
)

func TestNames(t *testing.T) {
	want := []string{"bbr", "cubic", "reno", "lia", "olia", "balia", "wvegas"}
	got := Names()
	if !slices.Equal(got, want) {
		t.Fatalf("Names() = %v, want %v", got, want)
	}
	got[0] = "changed"
	if !slices.Equal(Names(), want) {
		t.Error("a caller can change the list")
	}
}

func TestValidity(t *testing.T) {
	for _, c := range []struct {
		name          string
		valid, kernel bool
	}{
		{"bbr", true, true}, {"cubic", true, true}, {"reno", true, true},
		{"lia", true, false}, {"olia", true, false}, {"balia", true, false}, {"wvegas", true, false},
		{"", false, false}, {"BBR", false, false}, {"bbr2", false, false}, {"vegas", false, false},
	} {
		if Valid(c.name) != c.valid || KernelMayOffer(c.name) != c.kernel {
			t.Errorf("%q: valid %v, kernel %v", c.name, Valid(c.name), KernelMayOffer(c.name))
		}
	}
}
