package plain_test

import (
	"testing"
	"time"

	"hawser/transport/plain"
)

// TestLittleWaitsInTheKernel: on a path that the kernel is told to be slow, the backlog is what late scheduling
// allows, and the bytes flow.
func TestLittleWaitsInTheKernel(t *testing.T) {
	const rate, size = 4 << 20, 2 << 20
	r := newRig(t)
	client, server := r.pair(loopback(t, plain.Config{}))
	t.Cleanup(r.closeAll)
	if err := client.sub.(*plain.Subflow).SetPacing(rate); err != nil {
		t.Fatal(err)
	}
	send, worst, turns := sender(noise(size)), 0, 0
	client.onTurn = func(now time.Time, e *end) {
		send(now, e)
		worst = max(worst, e.sub.State().Unsent)
		turns++
	}
	start := time.Now()
	r.until("all bytes", 30*time.Second, func() bool { return len(server.got) == size })
	t.Logf("took %v of %v, at most %d bytes unsent, %d turns", time.Since(start), time.Second*size/rate, worst, turns)
	if worst > 64<<10 {
		t.Errorf("%d bytes waited in the kernel", worst)
	}
}
