package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	dialTime = 2 * time.Second
	maxConns = 256
	// socketBuffer is what the kernel may hold of a connection at each end of the line, bytes. Less than two segments of
	// loopback (64 kB each) would make TCP wait for its timers.
	socketBuffer = 128 << 10
)

// Config describes a link.
type Config struct {
	Name  string
	Rate  int           // bit/s, each way
	Delay time.Duration // one way
}

// Link is a line between a port of 127.0.0.1 and one address. Its methods may be called from any goroutine.
type Link struct {
	Config
	to       string
	listener net.Listener
	gate     gate
	up, down lane // from and to whoever connects
	cancel   context.CancelFunc
	served   chan struct{} // closed when everything has ended
}

// Listen makes a link to an address (host:port).
func Listen(c Config, to netip.AddrPort) (*Link, error) {
	if c.Rate <= 0 {
		return nil, fmt.Errorf("link %s: a rate of %d bit/s carries nothing", c.Name, c.Rate)
	}
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	ln, err := config.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("link %s: %w", c.Name, err)
	}
	l := &Link{Config: c, to: to.String(), listener: ln}
	for _, lane := range []*lane{&l.up, &l.down} {
		lane.gate, lane.shaper = &l.gate, shaper{rate: c.Rate, delay: c.Delay}
	}
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(context.Background())
	l.served = make(chan struct{})
	go l.serve(ctx)
	return l, nil
}

// Addr is where the link begins.
func (l *Link) Addr() netip.AddrPort {
	a, _ := netip.ParseAddrPort(l.listener.Addr().String())
	return a
}

// Cut makes the link fall silent: nothing arrives any more at either end, and nobody is told.
func (l *Link) Cut() { l.gate.set(false) }

// Restore undoes Cut.
func (l *Link) Restore() { l.gate.set(true) }

// Bytes is how much was delivered so far: away from, and to, whoever connects.
func (l *Link) Bytes() (up, down uint64) { return l.up.bytes.Load(), l.down.bytes.Load() }

// Close ends all connections at once.
func (l *Link) Close() error {
	l.cancel()
	err := l.listener.Close()
	<-l.served
	return err
}

// serve accepts connections until Close, and returns when all have ended. Those beyond maxConns wait in the system.
func (l *Link) serve(ctx context.Context) {
	defer close(l.served)
	var conns errgroup.Group
	conns.SetLimit(maxConns)
	defer func() { _ = conns.Wait() }()
	for {
		conn, err := l.listener.Accept()
		switch {
		case err == nil:
			conns.Go(func() error { l.forward(ctx, conn); return nil })
		case errors.Is(err, net.ErrClosed):
			return
		case sleep(ctx, 10*time.Millisecond) != nil: // out of file descriptors, for one
			return
		}
	}
}

// forward carries one connection.
func (l *Link) forward(ctx context.Context, near net.Conn) {
	defer near.Close()
	if l.gate.pass(ctx) != nil {
		return
	}
	dialer := net.Dialer{Timeout: dialTime}
	dialer.SetMultipathTCP(false)
	far, err := dialer.DialContext(ctx, "tcp4", l.to)
	if err != nil {
		reset(near)
		return
	}
	defer far.Close()
	shrink(near)
	shrink(far)
	l.join(ctx, near, far)
}

// join carries both directions. When one breaks, the other does; an end in order leaves the other alone.
func (l *Link) join(ctx context.Context, near, far net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var lanes sync.WaitGroup
	carry := func(lane *lane, dst, src net.Conn) {
		if err := lane.carry(ctx, dst, src); err != nil {
			reset(near)
			reset(far)
			cancel()
		}
	}
	lanes.Go(func() { carry(&l.up, far, near) })
	lanes.Go(func() { carry(&l.down, near, far) })
	lanes.Wait()
}

// shrink keeps the kernel from holding much of what the line should hold.
func shrink(c net.Conn) {
	if t, ok := c.(interface {
		SetReadBuffer(n int) error
		SetWriteBuffer(n int) error
	}); ok {
		_, _ = t.SetReadBuffer(socketBuffer), t.SetWriteBuffer(socketBuffer) // the system may know better
	}
}

// reset ends a connection so that its peer sees an error, not an end in order.
func reset(c net.Conn) {
	if t, ok := c.(interface{ SetLinger(sec int) error }); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
