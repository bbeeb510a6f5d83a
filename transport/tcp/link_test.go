package tcp

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"hawser/transport/wire"
)

// transmit puts a segment on the link of h, packet by packet.
func (w *world) transmit(h *host, s *wire.Segment) {
	h.emitted++
	if s.Len > maxSuper {
		w.t.Fatalf("%s: a segment of %d bytes", h.name, s.Len)
	}
	if len(h.log) < 100000 {
		h.log = append(h.log, fmt.Sprintf("%8.3f %s", w.now.Sub(startTime).Seconds(), s))
	}
	after := time.Duration(0)
	if h.link.late != nil {
		after = h.link.late()
	}
	var part wire.Segment
	for from := 0; ; {
		from = s.Cut(from, &part)
		w.link(h, &part, after)
		if from >= s.Len {
			return
		}
	}
}

// link delays, loses, doubles and mangles one packet.
func (w *world) link(h *host, s *wire.Segment, after time.Duration) {
	l := &h.link
	if l.split && s.Len > 1 && w.rng.Intn(4) == 0 {
		half := *s
		half.MSS = (s.Len + 1) / 2
		var part wire.Segment
		for from := 0; from < s.Len; {
			from = half.Cut(from, &part)
			w.deliver(h, &part, after)
		}
		return
	}
	w.deliver(h, s, after)
}

func (w *world) deliver(h *host, s *wire.Segment, after time.Duration) {
	l := &h.link
	if l.mark > 0 && s.ECN == wire.ECT0 && w.rng.Float64() < l.mark {
		s.ECN = wire.CE
	}
	b := s.AppendHeaders(nil, wire.SumWhole)
	b = append(b, bytes.Join(s.Data, nil)...)
	whole := s.Src.Addr().Is6() || b[6]&0x40 != 0 // must not be cut up
	if l.mtu > 0 && len(b) > l.mtu && whole || w.rng.Float64() < l.loss || l.eat != nil && l.eat(s) {
		return
	}
	at := w.now
	if l.rate > 0 {
		if h.freeAt.Before(at) {
			h.freeAt = at
		}
		if l.queue > 0 && int(h.freeAt.Sub(at).Seconds()*float64(l.rate)) > l.queue {
			return
		}
		h.freeAt = h.freeAt.Add(time.Duration(float64(len(b)) / float64(l.rate) * float64(time.Second)))
		at = h.freeAt
	}
	at = at.Add(l.delay + after)
	if l.jitter > 0 {
		at = at.Add(time.Duration(w.rng.Int63n(int64(l.jitter))))
	}
	if l.reorder > 0 && w.rng.Float64() < l.reorder {
		at = at.Add(time.Duration(w.rng.Int63n(int64(l.held))))
	}
	w.push(packet{at: at, b: b, to: w.other(h)})
	if l.dup > 0 && w.rng.Float64() < l.dup {
		w.push(packet{at: at.Add(time.Duration(w.rng.Int63n(int64(l.delay + 1)))), b: slices.Clone(b), to: w.other(h)})
	}
}

func (w *world) push(p packet) {
	w.order++
	p.order = w.order
	i, _ := slices.BinarySearchFunc(w.packets, p, func(x, y packet) int {
		if c := y.at.Compare(x.at); c != 0 {
			return c
		}
		return y.order - x.order
	})
	w.packets = slices.Insert(w.packets, i, p)
}

// next is the packet that arrives first; the list is kept the other way round.
func (w *world) next() *packet {
	if len(w.packets) == 0 {
		return nil
	}
	return &w.packets[len(w.packets)-1]
}

// join is receive offload: packets that arrive together, follow each other and have the same header become one.
func (w *world) join(p packet) []byte {
	var s, n wire.Segment
	s.Consume(p.b, true)
	for q := w.next(); q != nil && q.to == p.to && q.at.Sub(w.now) < time.Millisecond && s.Len > 0; q = w.next() {
		n.Consume(q.b, true)
		if n.Len == 0 || n.Seq != s.Seq.Add(s.Len) || n.Ack != s.Ack || n.Options != s.Options || n.Window != s.Window ||
			(s.Flags|n.Flags)&(wire.FIN|wire.CWR) != 0 || s.ECN != n.ECN || s.Len+n.Len > 60000 {
			break
		}
		s.Data, s.Len = append(s.Data, n.Data...), s.Len+n.Len
		s.Flags |= n.Flags
		w.packets = w.packets[:len(w.packets)-1]
	}
	return append(s.AppendHeaders(nil, wire.SumWhole), bytes.Join(s.Data, nil)...)
}
