package tunneltest

import (
	"context"
	"errors"
	"net"
	"sync"
)

// ErrUnreachable is what Dial gives while the network is down.
var ErrUnreachable = errors.New("tunneltest: no uplink works")

// Network joins a dialer and a listener. The zero value is not usable, see NewNetwork.
type Network struct {
	backlog chan *Conn
	closed  chan struct{}
	once    sync.Once

	mu    sync.Mutex
	line  Line
	down  bool
	dials int
	conns []*Conn // client ends
}

// NewNetwork makes a network of lines like l.
func NewNetwork(l Line) *Network {
	return &Network{line: l, backlog: make(chan *Conn, 1024), closed: make(chan struct{})}
}

// Dial makes a connection to the listener.
func (n *Network) Dial(ctx context.Context) (*Conn, error) {
	n.mu.Lock()
	n.dials++
	down, line := n.down, n.line
	n.mu.Unlock()
	if down {
		return nil, ErrUnreachable
	}
	c, s := Pipe(line)
	select {
	case n.backlog <- s:
	case <-n.closed:
		return nil, errors.New("tunneltest: connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n.mu.Lock()
	n.conns = append(n.conns, c)
	n.mu.Unlock()
	return c, nil
}

// Accept waits for the next connection; net.ErrClosed after Close.
func (n *Network) Accept() (*Conn, error) {
	select {
	case c := <-n.backlog:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (n *Network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// Addr is an address for documentation.
func (n *Network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(198, 51, 100, 1), Port: 7444} }

// SetDown makes dials fail, and stalls or resumes what is there.
func (n *Network) SetDown(down bool) {
	n.mu.Lock()
	n.down = down
	conns := append([]*Conn(nil), n.conns...)
	n.mu.Unlock()
	for _, c := range conns {
		c.Stall(down)
	}
}

// Dials is how often Dial was called.
func (n *Network) Dials() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials
}

// Conns are the client ends made so far, in order.
func (n *Network) Conns() []*Conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*Conn(nil), n.conns...)
}
