package rawtcp

import (
	"sync"

	"hawser/transport/packet"
	"hawser/transport/wire"
)

// Bounds of a batch, so that a connection looks at what has arrived in between: a quarter of a millisecond at the speed
// of a processor, and few enough turns that they cost little beside the copy. Pacing bounds it where a path is slower.
const (
	maxBatch      = 32
	maxBatchBytes = 1 << 20
)

// batch is segments on their way to the packet path. A loop has one for the time of a send.
type batch struct {
	n        int
	bytes    int
	packets  [maxBatch]packet.Packet
	segments [maxBatch]wire.Segment
	heads    [maxBatch][wire.MaxHeader]byte
}

// batches holds no goroutine, channel or timer, so that it may be shared between synctest bubbles.
var batches = sync.Pool{New: func() any { return new(batch) }}

func (b *batch) full() bool { return b.n == maxBatch || b.bytes >= maxBatchBytes }

// next is the segment to be filled in.
func (b *batch) next() *wire.Segment { return &b.segments[b.n] }

// add makes the packet of the segment that was filled in. index is the interface to leave by, 0: the path's own.
func (b *batch) add(index int, control bool) {
	s, p := &b.segments[b.n], &b.packets[b.n]
	local := s.Src.Addr()
	head := s.AppendHeaders(b.heads[b.n][:0], wire.SumPseudo) // the sum is WriteBatch's business: this one costs least
	*p = packet.Packet{
		Local: local, Remote: s.Dst.Addr(), Interface: index, Class: uint8(s.ECN),
		Header: head[wire.IPHeaderLen(local):], Control: control, Fragment: s.Fragment,
	}
	if s.Len > 0 {
		p.Payload, p.More, p.SegmentSize = s.Data[0], s.Data[1:], s.MSS
	}
	b.n++
	b.bytes += s.Len
}

// release gives the batch back; it refers to nobody's memory any more.
func (b *batch) release() {
	for i := range b.n {
		b.packets[i] = packet.Packet{}
		s := &b.segments[i]
		clear(s.Data)
		s.Reset()
	}
	b.n, b.bytes = 0, 0
	batches.Put(b)
}

// What a machine emits, a packet path takes: this does not compile otherwise.
const _ = uint(packet.MaxPieces - wire.MaxPieces)
