package rawtcp

import (
	"testing"
	"time"
)

func TestSendLimitFollowsWindowAndRoundTrip(t *testing.T) {
	const most = 16 << 20
	for _, c := range []struct {
		why    string
		window int
		srtt   time.Duration
		want   int
	}{
		{"before the handshake", 0, 0, minUnsent},
		{"a small window", 14600, 20 * time.Millisecond, minUnsent},
		{"twice the window", 3 << 20, 20 * time.Millisecond, 6 << 20},
		{"never more than configured", 12 << 20, 100 * time.Millisecond, most},
		{"a huge window on a path of microseconds", 35 << 20, 250 * time.Microsecond, minUnsent + 1_000_000},
		{"a round trip of more bytes than 32 bits count", 12 << 20, 2 * time.Second, most},
		{"a few milliseconds are room for any window", 3 << 20, 2 * time.Millisecond, 6 << 20},
	} {
		if got := sendLimit(c.window, c.srtt, most); got != c.want {
			t.Errorf("%s: %d, want %d", c.why, got, c.want)
		}
	}
}
