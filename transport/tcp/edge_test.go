package tcp

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hawser/transport/wire"
)

// RFC 9293 §3.8.6: the window is "the number of bytes … that the sender of this segment is willing to accept". A peer whose
// segments are smaller than the unit in which windows are told does not get more of it by the rounding, however often it is
// acknowledged.
func TestAReaderWhoHasStoppedStopsThePeer(t *testing.T) {
	for _, c := range []struct {
		segment int
		again   bool // a repeated byte after each has it acknowledged at once
	}{{100, false}, {200, false}, {255, false}, {500, true}} {
		p := &purse{left: 1 << 20}
		s := settled(t, func(c *Config) { c.Budget, c.ReceiveBuffer, c.MaxReceiveBuffer = p, 64<<10, 16<<20 })
		bytes := strings.Repeat("x", c.segment)
		for pos := 1; pos < 8<<20; pos += c.segment {
			s.give(ack, pos, 1, bytes)
			if c.again {
				s.give(ack, pos+c.segment-1, 1, "x")
			} else {
				s.pass(50 * time.Millisecond)
			}
			s.emit()
		}
		if most := s.m.buf.size + 1<<s.m.peer.ownScale; s.m.in.unread > most {
			t.Errorf("segments of %d bytes: %d bytes wait for the reader, the window is %d", c.segment, s.m.in.unread, s.m.buf.size)
		}
		if s.m.in.unread < s.m.buf.size-1<<s.m.peer.ownScale-c.segment {
			t.Errorf("segments of %d bytes: only %d bytes of a window of %d were accepted", c.segment, s.m.in.unread, s.m.buf.size)
		}
		if p.taken > 2*charge(s.m.buf.size) {
			t.Errorf("segments of %d bytes: %d bytes of the budget are taken for a window of %d", c.segment, p.taken, s.m.buf.size)
		}
	}
}

// RFC 9293 §3.8.6, SHLD-14: "The receiver SHOULD NOT shrink the window, i.e., move the right window edge to the left." RFC
// 7323 §2.4: "there will be times when a retracted window can be offered", by rounding.
func TestTheRightEdgeMovesBackByLessThanAUnit(t *testing.T) {
	for _, mss := range []int{200, 536, 1460} {
		s := dial(t, func(c *Config) { c.ReceiveBuffer, c.MaxReceiveBuffer = 20_000, 16<<20 })
		s.want("the SYN", "SYN 0")
		s.answer(func(o *wire.TCPOptions) { o.MSS = uint16(mss) })
		s.emit()
		r := rand.New(rand.NewPCG(1, uint64(mss)))
		most, pos, worst := 0, 1, 0
		for range 20_000 {
			if n := 1 + r.IntN(mss-1); int64(pos+n) <= s.m.buf.edge {
				s.give(ack, pos, 1, strings.Repeat("x", n))
				pos += n
				if int(s.m.in.nxt) != pos {
					t.Fatalf("MSS %d: what was allowed once is not accepted: %d bytes of %d", mss, s.m.in.nxt, pos)
				}
			}
			for range r.IntN(3) {
				if run, ok := s.m.Next(s.now); ok {
					run.Release()
				}
			}
			s.m.Acknowledge()
			s.emit()
			for _, o := range s.out {
				edge := o.Ack.Diff(peerISN) + int(o.Window)<<s.m.peer.ownScale
				worst, most = max(worst, most-edge), max(most, edge)
			}
		}
		if worst >= 1<<s.m.peer.ownScale {
			t.Errorf("MSS %d: the right edge has moved back by %d bytes, the unit is %d", mss, worst, 1<<s.m.peer.ownScale)
		}
		if most < 1<<20 {
			t.Errorf("MSS %d: only %d bytes were ever allowed", mss, most)
		}
	}
}
