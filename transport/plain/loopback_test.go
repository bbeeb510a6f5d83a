package plain_test

import (
	"crypto/sha256"
	"hash"
	"testing"
	"time"

	"hawser/transport"
	"hawser/transport/plain"
	"hawser/transport/wire"
)

// TestLoopback moves bytes both ways at once over the kernel's TCP and compares hashes.
func TestLoopback(t *testing.T) {
	const size = 64 << 20
	r := newRig(t)
	client, server := r.pair(loopback(t, plain.Config{}))
	t.Cleanup(r.closeAll)
	block := noise(1 << 20)
	sums := map[*end]hash.Hash{client: sha256.New(), server: sha256.New()}
	sent := map[*end]int{}
	got := map[*end]int{}
	want := sha256.New()
	for range size / len(block) {
		want.Write(block)
	}
	for _, e := range r.ends {
		e.onTurn = func(_ time.Time, e *end) {
			for sent[e] < size {
				n := e.sub.Send(wire.Mapping{DSN: uint64(sent[e])}, block[sent[e]%len(block):])
				if n <= 0 {
					return
				}
				sent[e] += n
			}
		}
		e.onEach = func(e *end, ev transport.Event) {
			if ev.Kind == transport.EventData {
				sums[e].Write(e.got)
				got[e] += len(e.got)
				e.got, e.maps, e.events, e.acks = e.got[:0], e.maps[:0], e.events[:0], e.acks[:0]
			}
		}
	}
	r.until("all bytes", time.Minute, func() bool { return got[client] == size && got[server] == size })
	for _, e := range r.ends {
		if string(sums[e].Sum(nil)) != string(want.Sum(nil)) {
			t.Errorf("%s received other bytes", e.name)
		}
	}
	st := client.sub.State()
	t.Logf("state %+v", st)
	if st.Congestion == "" && st.Cwnd != 0 {
		t.Errorf("no congestion control in %+v", st)
	}
}
