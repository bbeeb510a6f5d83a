package packet

import (
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// way is how one packet goes.
type way struct {
	f    *iface
	out  outlook
	hop  hop
	raw  bool // by the kernel's output
	mode Mode // of the interface at this moment
	v4   bool // with raw: which socket
}

// same says whether packets of two ways can go in one system call.
func (w *way) same(v *way) bool {
	return w.f == v.f && w.raw == v.raw && w.mode == v.mode && (!w.raw || w.v4 == v.v4)
}

// cut is what one message takes of a packet: all of it, or one segment.
type cut struct {
	packet  int // index in the batch
	head    []byte
	pieces  [][]byte
	payload int // bytes in pieces
	segment int
	done    int // bytes of the packet up to here
	whole   bool
	id      uint16
}

// WriteBatch implements Conn.
func (s *Socket) WriteBatch(ps []Packet) (n int, err error) {
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed {
		return 0, fmt.Errorf("packet: write: %w", net.ErrClosed)
	}
	o := s.outboxes.Get().(*outbox)
	defer func() {
		o.reset()
		s.outboxes.Put(o)
	}()
	now := time.Now()
	for n < len(ps) && err == nil {
		n, err = s.writeRun(o, ps, n, now)
	}
	return n, err
}

// writeRun sends packets from the i-th on, as many as one system call can take, and returns the index of the first that
// has not gone whole. What stops it short of an error in sending comes back when it is that packet's turn.
func (s *Socket) writeRun(o *outbox, ps []Packet, i int, now time.Time) (int, error) {
	w, err := s.way(&ps[i], now)
	if err != nil {
		return i, err
	}
	o.reset()
	for j := i; ; {
		if err = s.fill(o, &ps[j], j, &w); err != nil {
			break
		}
		if j++; j == len(ps) || o.n == sendSlots {
			break
		}
		next, e := s.way(&ps[j], now)
		if e != nil || !next.same(&w) {
			break
		}
		w = next
	}
	if o.n == 0 {
		return i, err
	}
	return s.flush(o, ps, &w, now)
}

// leavesBy is the index of the interface that a packet has to leave by; 0: whichever the routes say.
func (s *Socket) leavesBy(p *Packet) int {
	if p.Interface == 0 {
		return s.index
	}
	return p.Interface
}

// way finds how a packet has to go.
func (s *Socket) way(p *Packet, now time.Time) (w way, err error) {
	payload, ok := p.valid()
	index := s.leavesBy(p)
	if !ok || s.index != 0 && index != s.index {
		return w, ErrMalformed
	}
	single := payload <= p.segmentSize(payload)
	w.v4 = p.Local.Is4()
	w.hop = s.hops.find(now, routeKey{index, p.Local, p.Remote}, single, p.Control)
	w.mode, w.raw = ModeRawIP, true
	if w.hop.index == 0 { // the first packets of a Socket on all interfaces, until the route is known
		w.f, w.out.mtu = s.unrouted, s.interfaces.smallestMTU()
		return w, nil
	}
	if w.f = s.interfaces.get(w.hop.index); w.f == nil {
		return w, fmt.Errorf("packet: interface %d is not there: %w", w.hop.index, unix.ENODEV)
	}
	w.out = w.f.outlook(now)
	if w.hop.mtu > 0 {
		w.out.mtu = min(w.out.mtu, w.hop.mtu)
	}
	w.mode = w.out.mode
	w.raw = p.Control || p.Fragment || !w.hop.direct || w.mode == ModeRawIP || w.out.link == linkUnknown
	return w, nil
}

// goAround sends a packet by frames that the kernel's output has refused: a firewall of this host takes it for one of a
// flow that it does not know, because the rest went past it. Else an outage would be the end of such a flow, whose
// retransmissions go by raw IP. What opens a flow is refused for good, as the firewall's owner wants it. cause is the
// refusal, and what comes back when the packet cannot go.
//
// A long outage makes the kernel forget the next hop's address, and what would make it ask again is just what the firewall
// refuses. So the last address has to do, until something else that this host sends there, or the neighbour itself, renews
// the entry.
func (s *Socket) goAround(o *outbox, ps []Packet, i int, now time.Time, cause error) (int, error) {
	p := &ps[i]
	w, err := s.way(p, now)
	if err != nil || w.f.limit == ModeRawIP || w.out.link == linkUnknown || p.Header[flagsOffset]&flagSYN != 0 {
		return i, cause
	}
	w.hop = s.hops.find(now, routeKey{s.leavesBy(p), p.Local, p.Remote}, false, false)
	if !w.hop.direct && w.hop.mac == (hardwareAddr{}) {
		return i, cause // the next one may, when the hop is known
	}
	w.raw, w.mode = false, ModeFrames
	o.reset()
	if err := s.fill(o, p, i, &w); o.n == 0 {
		return i, err
	}
	next, err := s.flush(o, ps, &w, now)
	if next == i && err == nil && p.Len() > 0 {
		return i, cause // the interface takes no frames
	}
	return next, err
}

// fill puts a packet into the outbox, or as much of it as there is room for.
func (s *Socket) fill(o *outbox, p *Packet, packet int, w *way) error {
	payload := p.Len()
	segment := p.segmentSize(payload)
	if wire := wireLen(p); wire > w.out.mtu {
		return &TooBigError{Size: wire, MTU: w.out.mtu}
	}
	if !w.raw && (w.mode == ModeGSO || payload <= segment) {
		at := len(o.pieces)
		o.pieces = append(append(o.pieces, p.Payload), p.More...)
		o.addFrame(p, w, &cut{
			packet: packet, head: p.Header, pieces: o.pieces[at:], payload: payload, segment: segment, done: payload, whole: true,
		})
		return nil
	}
	return s.fillCut(o, p, packet, w, payload)
}

// wireLen is the size of the IP packets that a packet is on the wire.
func wireLen(p *Packet) int { return ipHeaderLen(p.Local) + len(p.Header) + p.segmentSize(p.Len()) }

// errFull: the outbox has no room for the rest of a packet.
var errFull = errors.New("outbox is full")

// fillCut puts the segments of a packet into the outbox.
func (s *Socket) fillCut(o *outbox, p *Packet, packet int, w *way, payload int) error {
	cutter := newCutter(p, payload)
	index := 0
	if s.index == 0 {
		index = w.hop.index
	}
	var head [maxHeader]byte
	for id := uint16(0); !cutter.over; id++ {
		if o.n == sendSlots {
			return errFull
		}
		before, at := cutter.done, len(o.pieces)
		c := cut{packet: packet, id: id}
		c.head, o.pieces, _ = cutter.next(head[:0], o.pieces)
		c.pieces, c.payload = o.pieces[at:], cutter.done-before
		c.segment, c.done, c.whole = c.payload, cutter.done, cutter.over
		if w.raw {
			o.addIP(p, index, &c)
		} else {
			o.addFrame(p, w, &c)
		}
	}
	return nil
}
