package tunnel

import (
	"errors"
	"sync/atomic"
)

// strangerBytes is what either end accepts before the welcome (docs/protocol.md §2.2).
const strangerBytes = 64 << 10

var errStranger = errors.New("more than 64 kB before the welcome")

// guard bounds what is read from a transport before its peer is trusted. Reads are made by one goroutine at a time.
type guard struct {
	Transport
	trusted atomic.Bool
	left    int
}

func newGuard(t Transport) *guard { return &guard{Transport: t, left: strangerBytes} }

// Read gives an error when a stranger says too much.
func (g *guard) Read(b []byte) (int, error) {
	if g.trusted.Load() {
		return g.Transport.Read(b)
	}
	if g.left <= 0 {
		return 0, errStranger
	}
	n, err := g.Transport.Read(b[:min(len(b), g.left)])
	g.left -= n
	return n, err
}
