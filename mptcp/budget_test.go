package mptcp

import "testing"

func TestWindowsOfConnectionsLeaveRoomForStreams(t *testing.T) {
	const limit = 16 << 20 // for receiving
	b := NewBudget(2 * limit)
	granted := 0
	for range 100 {
		w := recvWindow{size: startWindow}
		w.grow(b, freeBytes+(1<<20), limit)
		granted += w.size - startWindow
	}
	if granted == 0 || granted > limit*7/8 {
		t.Errorf("windows took %d of %d bytes, want no more than seven eighths", granted, limit)
	}
	if !b.Reserve(limit / 8) {
		t.Error("nothing is left for streams")
	}
	if b.Reserve(1) {
		t.Error("more than the limit was reserved")
	}
}
