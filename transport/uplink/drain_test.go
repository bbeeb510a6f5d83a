package uplink

import (
	"testing"
	"time"
)

// A path that acknowledges in bursts gets an allowance for them, which must not keep the queue standing while the
// minimum round trip is measured anew: each measurement would be longer than the one before.
func TestMinimumRoundTripIsMeasuredWithoutTheAllowanceForBursts(t *testing.T) {
	for _, stall := range []time.Duration{10 * time.Millisecond, 40 * time.Millisecond} {
		l := newLink(50e6/8, 10*time.Millisecond)
		l.stall = stall
		now := l.run(epoch, epoch.Add(120*time.Second))
		serial := time.Duration(testChunk * int(time.Second) / l.rate)
		if got, most := l.entry.Facts(now).MinRTT, 20*time.Millisecond+2*serial; got > most {
			t.Errorf("stalls of %v: after two minutes of load the minimum round trip is %v, want at most %v", stall, got, most)
		}
		if got := l.entry.Facts(now).Rate; got < l.rate*9/10 {
			t.Errorf("stalls of %v: the rate is taken for %d of %d bytes/s", stall, got, l.rate)
		}
	}
}
