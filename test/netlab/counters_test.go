package netlab

import (
	"testing"
	"time"
)

func TestTallyKnowsWhenBytesWereDelivered(t *testing.T) {
	var y tally
	if got := y.between(0, time.Hour); got != 0 {
		t.Fatalf("%d bytes before any frame", got)
	}
	for ms := range 1000 {
		now := time.Duration(ms) * time.Millisecond
		y.deliver(now, now, 10)
	}
	for _, tt := range []struct{ from, to, want time.Duration }{
		{0, 1000, 10_000}, {0, 100, 1000}, {500, 600, 1000}, {900, 5000, 1000}, {2000, 3000, 0}, {600, 500, 0},
	} {
		if got := y.between(tt.from*time.Millisecond, tt.to*time.Millisecond); got != int64(tt.want) {
			t.Errorf("%d bytes from %d ms to %d ms, want %d", got, tt.from, tt.to, tt.want)
		}
	}
	t.Log("# after the ring has turned, old bytes are forgotten and none are counted twice")
	late := historyStep*historySteps + 500*time.Millisecond
	y.deliver(late, late-time.Millisecond, 7)
	if got := y.between(0, late+time.Second); got != 7+4900 {
		t.Errorf("%d bytes left of the whole history, want 4907", got)
	}
	if l := y.snapshot().Lateness; l.Max != time.Millisecond || l.Mean != time.Millisecond/1001 {
		t.Errorf("lateness %+v, want 1 ms once in 1001 frames", l)
	}
}
