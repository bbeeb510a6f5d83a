package transport

import (
	"sync"
	"sync/atomic"
)

// BufferSize is the capacity of a pooled Buffer in bytes: what one read from a carrier can bring.
const BufferSize = 128 << 10

// Buffer is a pooled block of received bytes with a count of its holders. It goes from a carrier's reader to the
// loop to the application's Read; whoever holds it last gives it back.
type Buffer struct {
	B    []byte // always BufferSize long
	refs atomic.Int32
}

// buffers holds no goroutine, channel or timer, so that it may be shared between synctest bubbles.
var buffers = sync.Pool{New: func() any { return &Buffer{B: make([]byte, BufferSize)} }}

// GetBuffer takes a Buffer with one holder from the pool.
func GetBuffer() *Buffer {
	b := buffers.Get().(*Buffer)
	b.refs.Store(1)
	return b
}

// Retain adds a holder.
func (b *Buffer) Retain() { b.refs.Add(1) }

// Release ends one holder's use; the last one's returns the buffer to the pool.
func (b *Buffer) Release() {
	switch n := b.refs.Add(-1); {
	case n == 0:
		buffers.Put(b)
	case n < 0:
		panic("BUG: transport: buffer released twice")
	}
}

// Payload is a run of received bytes and the buffer that holds them. Buf is nil when B is an allocation of its own.
type Payload struct {
	B   []byte
	Buf *Buffer
}

// Release gives up the bytes. The Payload must not be used after it.
func (p *Payload) Release() {
	if p.Buf != nil {
		p.Buf.Release()
	}
	p.B, p.Buf = nil, nil
}
