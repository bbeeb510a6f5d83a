package plain_test

import (
	"testing"

	"hawser/transport/plain"
)

func TestCongestionInForceIsWhatConnectionsGet(t *testing.T) {
	if got := plain.CongestionInForce("reno"); got != "reno" { // every kernel has it and lets everybody choose it
		t.Errorf("asked for reno, %q is in force", got)
	}
	if got := plain.CongestionInForce("nonesuch"); got == "" || got == "nonesuch" {
		t.Errorf("asked for what no kernel has, %q is in force", got)
	}
}
