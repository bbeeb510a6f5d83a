package rawtcp

import (
	"sync"
	"sync/atomic"

	"hawser/transport/packet"
	"hawser/transport/wire"
)

// arrival is a packet that was read, with a count of its holders: the inbox and the loop, then whoever keeps some of
// its payload. The last one gives the packet's buffer back.
type arrival struct {
	p    packet.Packet
	refs atomic.Int32
}

var _ wire.Owner = (*arrival)(nil)

// arrivals holds no goroutine, channel or timer, so that it may be shared between synctest bubbles.
var arrivals = sync.Pool{New: func() any { return new(arrival) }}

// newArrival takes a packet over, with one holder.
func newArrival(p *packet.Packet) *arrival {
	a := arrivals.Get().(*arrival)
	a.p = *p
	*p = packet.Packet{}
	a.refs.Store(1)
	return a
}

// Retain implements wire.Owner.
func (a *arrival) Retain() { a.refs.Add(1) }

// Release implements wire.Owner.
func (a *arrival) Release() {
	switch n := a.refs.Add(-1); {
	case n == 0:
		a.p.Release()
		a.p = packet.Packet{}
		arrivals.Put(a)
	case n < 0:
		panic("BUG: rawtcp: packet released twice")
	}
}

// cost is the memory that it takes to keep the packet, in bytes.
func (a *arrival) cost() int { return arrivalCost + a.p.Footprint() }

const arrivalCost = 256

// segment reads the packet into s, which refers to it; false: there is no sound TCP header.
func (a *arrival) segment(s *wire.Segment) bool {
	p := &a.p
	if s.ConsumeHeader(p.Remote, p.Local, p.Header) < 0 {
		return false
	}
	s.ECN = wire.ECN(p.Class & 3)
	if n := len(p.Payload); n > 0 {
		s.Data, s.Len, s.MSS = append(s.Data, p.Payload), n, p.SegmentSize
		s.Owner, s.Pinned = a, a.cost()
	}
	return true
}
