package link

import (
	"testing"
	"time"
)

func TestShaperGivesTheRateExactlyHoweverLateItIsAsked(t *testing.T) {
	start := time.Unix(0, 0)
	s := shaper{rate: 40e6, delay: 10 * time.Millisecond}
	now, last := start, time.Time{}
	const chunks = 1000
	for i := range chunks {
		// The chunks come in bunches, as from a machine whose timers are late, but before the queue has run dry.
		if i%4 == 0 {
			now = start.Add(time.Duration(i) * 4000 * 8 * time.Second / 40e6).Add(-time.Millisecond)
		}
		due := s.pass(now, 4000)
		if !due.After(last) || due.Before(now.Add(s.delay)) {
			t.Fatalf("chunk %d is due at %v, after one at %v, taken at %v", i, due, last, now)
		}
		last = due
	}
	if took, want := last.Sub(start), chunks*4000*8*time.Second/40e6+s.delay; took < want-time.Millisecond || took > want {
		t.Errorf("%d chunks took %v, want %v", chunks, took, want)
	}
}

func TestShaperKeepsNoCreditOfAnIdleTime(t *testing.T) {
	start := time.Unix(0, 0)
	s := shaper{rate: 8e6, delay: time.Millisecond}
	s.pass(start, 1000)
	later := start.Add(time.Hour)
	for i := 1; i <= 3; i++ {
		if due, want := s.pass(later, 1000), later.Add(time.Duration(i+1)*time.Millisecond); !due.Equal(want) {
			t.Errorf("chunk %d is due %v after it was taken, want %v", i, due.Sub(later), want.Sub(later))
		}
	}
}

func TestShaperWaitsWhileTheQueueIsFull(t *testing.T) {
	now := time.Unix(0, 0)
	s := shaper{rate: 8e6}
	for taken := 0; ; taken += 1000 { // 1 ms each
		if wait := s.wait(now); wait > 0 {
			t.Fatalf("the queue is full after %d bytes, before 20 ms", taken)
		}
		s.pass(now, 1000)
		if taken+1000 == 21_000 {
			break
		}
	}
	if wait := s.wait(now); wait != time.Millisecond {
		t.Errorf("21 ms are queued, so wait 1 ms, not %v", wait)
	}
	if wait := s.wait(now.Add(time.Millisecond)); wait > 0 {
		t.Errorf("a millisecond later still wait %v", wait)
	}
}
