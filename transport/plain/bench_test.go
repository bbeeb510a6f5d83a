package plain_test

import (
	"testing"
	"time"

	"hawser/transport"
	"hawser/transport/plain"
	"hawser/transport/wire"
)

// BenchmarkLoopback moves bytes from Send to EventData over the kernel's loopback: one loop for both ends.
func BenchmarkLoopback(b *testing.B) {
	for _, c := range []struct {
		name  string
		chunk int
	}{{"16kB", 16 << 10}, {"64kB", 64 << 10}} {
		b.Run(c.name, func(b *testing.B) {
			r := newRig(b)
			client, _ := r.pair(loopback(b, plain.Config{}))
			defer r.closeAll()
			block := noise(c.chunk)
			total, sent, got := int64(b.N)*int64(c.chunk), int64(0), int64(0)
			client.onTurn = func(_ time.Time, e *end) {
				for sent < total {
					n := e.sub.Send(wire.Mapping{DSN: uint64(sent)}, block)
					if n <= 0 {
						return
					}
					sent += int64(n)
				}
			}
			for _, e := range r.ends {
				e.onEach = func(e *end, ev transport.Event) {
					got += int64(len(e.got))
					e.got, e.maps, e.events, e.acks = e.got[:0], e.maps[:0], e.events[:0], e.acks[:0]
				}
			}
			b.SetBytes(int64(c.chunk))
			b.ReportAllocs()
			b.ResetTimer()
			r.until("all bytes", time.Minute, func() bool { return got >= total })
		})
	}
}
