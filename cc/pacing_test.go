package cc

import (
	"testing"
	"time"
)

// Between two hosts on one machine a window of megabytes is acknowledged in microseconds: pacing must not be what limits.
func TestPacingDoesNotLimitAPathOfMicroseconds(t *testing.T) {
	p := pacing{srtt: 50 * time.Microsecond}
	if got, want := p.rate(16<<20, 1), int(16<<20/50e-6); got != want {
		t.Errorf("%d bytes/s, want %d", got, want)
	}
}
