package packet

import "sync"

// The sizes of buffers. What ReadBatch is handed by the kernel may be a merged super-segment of 64 kB; most packets are
// acknowledgements and single segments, and a queue of those must not pin 66 kB each, so they are moved to small ones.
const (
	largeBuffer = 66 << 10
	smallBuffer = 2 << 10
)

// buffer is the pooled memory of one packet that was read. It has one owner: whoever has the Packet.
type buffer struct{ b []byte }

// The pools hold no goroutine, channel or timer, so that synctest bubbles may share them.
var (
	largeBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, largeBuffer)} }}
	smallBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, smallBuffer)} }}
)

// getBuffer takes a buffer for n bytes, at most largeBuffer.
func getBuffer(n int) *buffer {
	if n <= smallBuffer {
		return smallBuffers.Get().(*buffer)
	}
	return largeBuffers.Get().(*buffer)
}

func (b *buffer) release() {
	if len(b.b) == smallBuffer {
		smallBuffers.Put(b)
	} else {
		largeBuffers.Put(b)
	}
}

// Release gives the packet's buffer back. Header and Payload must not be used after it. A second call does nothing.
func (p *Packet) Release() {
	if p.buf != nil {
		p.buf.release()
	}
	p.buf, p.Header, p.Payload, p.More, p.Report = nil, nil, nil, nil, nil
}

// Footprint is how much memory the packet's buffer takes, in bytes: what it costs to keep a packet that was read. 0: it
// has none.
func (p *Packet) Footprint() int {
	if p.buf == nil {
		return 0
	}
	return len(p.buf.b)
}

// Own moves the bytes of a valid packet into a buffer from the pool: the payload in one piece, the checksum 0. It is how
// twins of Socket take a packet from its sender and hand it to a reader.
func (p *Packet) Own() {
	n := len(p.Header)
	buf := getBuffer(n + p.Len())
	k := copy(buf.b, p.Header)
	k += copy(buf.b[k:], p.Payload)
	for _, piece := range p.More {
		k += copy(buf.b[k:], piece)
	}
	p.buf, p.Header, p.Payload, p.More = buf, buf.b[:n:n], buf.b[n:k:k], nil
	setChecksum(p.Header, 0)
}
