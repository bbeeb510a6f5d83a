package main

import (
	"strings"
	"testing"
)

func TestDemoRefusesWrongUsage(t *testing.T) {
	want(t, machine(t), "", "demo stray", 2, "", "see: hawser-client demo --help")
	want(t, machine(t), "", "demo --twice", 2, "", "unknown flag: --twice")
	for _, line := range []string{"demo --help", "status --help", "healthcheck --help"} {
		if out := want(t, machine(t), "", line, 0, "…", ""); !strings.Contains(out, "Usage:") {
			t.Errorf("%s:\n%s", line, out)
		}
	}
}
