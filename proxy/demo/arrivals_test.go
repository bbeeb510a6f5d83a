package demo

import (
	"testing"
	"time"
)

func TestArrivalsTellRateAfterWarmUpAndLargestGap(t *testing.T) {
	start := time.Unix(0, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	a := &arrivals{warm: time.Second}
	if a.rate() != 0 {
		t.Error("a rate without any byte")
	}
	for ms := 0; ms < 1000; ms += 10 { // slow while it warms up
		a.add(at(ms), 10)
	}
	if a.rate() != 0 {
		t.Error("a rate before the end of the warm-up")
	}
	for ms := 1000; ms <= 3000; ms += 10 {
		a.add(at(ms), 1250)
	}
	if got := a.rate(); got != 1e6 {
		t.Errorf("rate %d bit/s, want 1000000", got)
	}
	if n, gap := a.total(); n != 100*10+201*1250 || gap != 10*time.Millisecond {
		t.Errorf("%d bytes, largest gap %v", n, gap)
	}

	t.Log("# after a mark the gap counts from the arrival before it")
	a.add(at(3500), 1)
	a.mark()
	a.add(at(3700), 1)
	a.add(at(3701), 1)
	if _, gap := a.total(); gap != 200*time.Millisecond {
		t.Errorf("largest gap since the mark %v, want 200 ms", gap)
	}
}
