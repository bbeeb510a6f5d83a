package tunnel

import (
	"errors"
	"sync/atomic"
)

// strangerBytes is what either end accepts before the welcome (docs/protocol.md §2.2).
const strangerBytes = 64 << 10

var (
	errStranger = errors.New("more than 64 kB before the welcome")
	errTLSOver  = errors.New("TLS has ended with the welcome")
)

// guard stands between a transport and TLS until the peer is trusted. It bounds what is read, and no read goes past the
// end of the TLS record under way: crypto/tls reads ahead, and what follows the welcome may not be for TLS (handOver).
// Reads are made by one goroutine at a time.
type guard struct {
	Transport
	trusted atomic.Bool // TLS goes on, and reads as it likes
	over    atomic.Bool // TLS has ended, and the transport is not its own any more
	left    int
	said    int // bytes written
	records records
}

func newGuard(t Transport) *guard { return &guard{Transport: t, left: strangerBytes} }

// Read gives an error when a stranger says too much.
func (g *guard) Read(b []byte) (int, error) {
	switch {
	case g.over.Load():
		return 0, errTLSOver
	case g.trusted.Load():
		return g.Transport.Read(b)
	case g.left <= 0:
		return 0, errStranger
	}
	n, err := g.Transport.Read(b[:min(len(b), g.left, g.records.due())])
	g.left -= n
	g.records.pass(b[:n])
	return n, err
}

// Write keeps what TLS might still have to say from the streams' bytes.
func (g *guard) Write(b []byte) (int, error) {
	if g.over.Load() {
		return 0, errTLSOver
	}
	n, err := g.Transport.Write(b)
	g.said += n
	return n, err
}

// heard is how many bytes were read before the peer was trusted.
func (g *guard) heard() int { return strangerBytes - g.left }
