package tunnel

import (
	"fmt"
	"testing"
	"time"
)

func TestHabitsAreLearntAndForgotten(t *testing.T) {
	var h habits
	now := time.Unix(1000, 0)
	big, other := TargetOf("big.example", 443), TargetOf("small.example", 443)
	expect := func(what string, target Target, want bool) {
		t.Helper()
		if got := h.expectsBulk(target, now); got != want {
			t.Errorf("%s: bulk is expected: %v", what, got)
		}
	}
	expect("nothing is known", big, false)
	h.becameBulk(big, now)
	expect("after one download", big, true)
	expect("of another target", other, false)
	expect("of another port", TargetOf("big.example", 80), false)
	h.stayedSmall(big)
	expect("after a small stream", big, false)
	h.becameBulk(big, now)
	h.becameBulk(big, now)
	h.stayedSmall(big)
	expect("one small among downloads", big, true)
	now = now.Add(habitTime)
	expect("long after", big, false)
}

func TestHabitsAreBounded(t *testing.T) {
	var h habits
	now := time.Unix(1000, 0)
	for i := range 3 * maxHabits {
		h.becameBulk(TargetOf(fmt.Sprintf("%d.example", i), 443), now)
		now = now.Add(time.Millisecond)
	}
	if len(h.of) != maxHabits {
		t.Errorf("%d targets are remembered, want %d", len(h.of), maxHabits)
	}
	if !h.expectsBulk(TargetOf(fmt.Sprintf("%d.example", 3*maxHabits-1), 443), now) {
		t.Error("the last target is not remembered")
	}
}

func TestFlowIsBulkAboveItsRate(t *testing.T) {
	for _, c := range []struct {
		what    string
		size    int // bytes
		every   time.Duration
		within  time.Duration // of which it becomes bulk
		notBulk bool
	}{
		{"a call", 8 << 10, 200 * time.Millisecond, time.Minute, true},
		{"a page now and then", 100 << 10, 2 * time.Second, time.Minute, true},
		{"a download of 8 Mbit/s", 10_000, 10 * time.Millisecond, 200 * time.Millisecond, false},
		{"a download of 1 Mbit/s", 12_500, 100 * time.Millisecond, 3 * time.Second, false},
	} {
		var f flow
		now := time.Unix(1000, 0)
		bulk := false
		for begin := now; !bulk && now.Sub(begin) <= c.within; now = now.Add(c.every) {
			bulk = f.add(now, c.size, bulkRate)
		}
		if bulk == c.notBulk {
			t.Errorf("%s is bulk: %v", c.what, bulk)
		}
	}
}
