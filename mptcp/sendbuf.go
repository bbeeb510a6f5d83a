package mptcp

import (
	"sort"
	"sync"
	"sync/atomic"
)

// chunkSize is the size of the blocks that hold what was written until it is acknowledged, bytes. A record does not
// reach from one block into the next, so a block is one record of the largest size, and not that and a splinter.
const chunkSize = hugeChunk

// chunk is a pooled block of written bytes. Every span of it and the out-gate, while it fills the block, hold one
// reference.
type chunk struct {
	b    []byte // chunkSize long
	refs atomic.Int32
}

var chunks = sync.Pool{New: func() any { return &chunk{b: make([]byte, chunkSize)} }}

func newChunk() *chunk {
	c := chunks.Get().(*chunk)
	c.refs.Store(1)
	return c
}

func (c *chunk) retain() { c.refs.Add(1) }

func (c *chunk) release() {
	switch n := c.refs.Add(-1); {
	case n == 0:
		chunks.Put(c)
	case n < 0:
		panic("BUG: mptcp: chunk released twice")
	}
}

// span is a run of written bytes in one chunk. Bytes of a span never change while it is held.
type span struct {
	c *chunk
	b []byte
}

// segment is a span with the data sequence number of its first byte.
type segment struct {
	dsn uint64
	span
}

func (s *segment) end() uint64 { return s.dsn + uint64(len(s.b)) }

// sendBuffer keeps what was written until DATA_ACK releases it (RFC 8684 §3.3.2), in order. Subflows hold slices of
// it, pinned by references on the chunks. Owned by the loop.
type sendBuffer struct {
	segs  []segment // data [una, end) in order
	first int       // index of the first segment in use
	una   uint64    // oldest byte not acknowledged
	end   uint64    // next byte to be written
}

func newSendBuffer(dsn uint64) sendBuffer { return sendBuffer{una: dsn, end: dsn} }

// add appends a span and takes over its reference.
func (b *sendBuffer) add(s span) {
	b.segs = append(b.segs, segment{dsn: b.end, span: s})
	b.end += uint64(len(s.b))
}

// at returns the bytes from dsn to the end of their segment, and the chunk that holds them.
func (b *sendBuffer) at(dsn uint64) span {
	live := b.segs[b.first:]
	i := sort.Search(len(live), func(i int) bool { return live[i].end()-b.una > dsn-b.una })
	s := live[i]
	return span{c: s.c, b: s.b[dsn-s.dsn:]}
}

// ack releases everything before dsn and returns the number of bytes released.
func (b *sendBuffer) ack(dsn uint64) int {
	n := int(dsn - b.una)
	b.una = dsn
	for b.first < len(b.segs) && int64(b.segs[b.first].end()-dsn) <= 0 {
		b.segs[b.first].c.release()
		b.segs[b.first] = segment{}
		b.first++
	}
	if b.first > 64 && b.first*2 > len(b.segs) {
		n := copy(b.segs, b.segs[b.first:])
		clear(b.segs[n:])
		b.segs, b.first = b.segs[:n], 0
	}
	return n
}

// size is the number of bytes held.
func (b *sendBuffer) size() int { return int(b.end - b.una) }

// release gives everything back.
func (b *sendBuffer) release() { b.ack(b.end) }
