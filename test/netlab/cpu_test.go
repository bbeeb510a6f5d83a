//go:build linux

package netlab

import "testing"

func TestCPUUseBetweenMarks(t *testing.T) {
	before, err := parseCPU("cpu  100 10 50 1000 40 5 5 20 0 0")
	if err != nil {
		t.Fatal(err)
	}
	after, err := parseCPU("cpu  150 10 60 1100 60 5 5 40 0 0")
	if err != nil {
		t.Fatal(err)
	}
	if use := after.Since(before); use.Busy != 0.4 || use.Steal != 0.1 || use.Saturated() {
		t.Errorf("got %+v, want 80 of 200 ticks busy and 20 stolen", use)
	}
	if use := after.Since(after); use != (CPUUse{}) {
		t.Errorf("got %+v for no time", use)
	}
	for _, bad := range []string{"", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 x 5 6 7 8"} {
		if _, err := parseCPU(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if _, err := MarkCPU(); err != nil {
		t.Error(err)
	}
}
