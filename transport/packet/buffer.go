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
	largeBuffers = hotPool{cold: sync.Pool{New: func() any { return &buffer{make([]byte, largeBuffer)} }}}
	smallBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, smallBuffer)} }}
)

// getBuffer takes a buffer for n bytes, at most largeBuffer.
func getBuffer(n int) *buffer {
	if n <= smallBuffer {
		return smallBuffers.Get().(*buffer)
	}
	return largeBuffers.get()
}

// hotBuffers is how many large buffers are used again before any other: together about half of a processor's cache.
const hotBuffers = 16

// hotPool gives the buffer that came back last. sync.Pool, which takes what one processor has given back for another
// from the far end, would send each packet to memory that no cache holds any more.
type hotPool struct {
	mu   sync.Mutex
	hot  [hotBuffers]*buffer
	n    int
	cold sync.Pool
}

func (p *hotPool) get() *buffer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n == 0 {
		return p.cold.Get().(*buffer)
	}
	p.n--
	return p.hot[p.n]
}

func (p *hotPool) put(b *buffer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n == len(p.hot) {
		p.cold.Put(b)
		return
	}
	p.hot[p.n] = b
	p.n++
}

func (b *buffer) release() {
	if len(b.b) == smallBuffer {
		smallBuffers.Put(b)
	} else {
		largeBuffers.put(b)
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
