package mptcp

import (
	"testing"

	"hawser/transport"
)

// received is n bytes in a read buffer.
func received(n int) transport.Payload {
	buf := transport.GetBuffer()
	return transport.Payload{B: buf.B[:n], Buf: buf}
}

// TestInGateCopiesAtTheirSize: the copies of small payloads cost little more than their bytes, alone between large ones
// and one after the other.
func TestInGateCopiesAtTheirSize(t *testing.T) {
	for _, c := range []struct {
		name  string
		sizes []int // of payloads that arrive again and again
		waste int   // bytes of memory beyond those in use
	}{
		{"between large ones", []int{filling, 2 << 10}, 0},
		{"in a row", []int{8 << 10}, copySize},
	} {
		g := newInGate()
		for i := 0; g.unread < 4<<20; i++ {
			g.put([]transport.Payload{received(c.sizes[i%len(c.sizes)])})
		}
		used, held, blocks := 0, 0, 0
		for _, p := range g.queue {
			if p.Buf == nil {
				used, held, blocks = used+len(p.B), held+cap(p.B), blocks+1
			}
		}
		if blocks == 0 || held-used > c.waste {
			t.Errorf("%s: %d copies hold %d bytes for %d", c.name, blocks, held, used)
		}
		g.close()
	}
}
