package rawtcp

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"hawser/transport/packet"
	"hawser/transport/tcp"
	"hawser/transport/wire"
)

// Conn is a connection. It is a net.Conn with CloseWrite; its methods may be called by several goroutines at any time.
type Conn struct {
	e        *Endpoint
	tuple    tuple
	wake     signal
	accepted bool // by a Listener

	box   inbox
	in    inGate
	out   outGate
	shown published

	established chan struct{} // closed when the handshake is complete
	done        chan struct{} // closed when the connection is over

	// What follows belongs to the loop (run).
	m         *tcp.Machine
	index     int // interface to send by; 0: the packet path's own, or as the kernel routes it
	cameBy    int // interface of what has arrived last
	arrived   []*arrival
	next      int // of arrived
	spans     []span
	runs      []tcp.Run
	segment   wire.Segment
	stalled   []packet.Packet // what the local queue had no room for, with memory of its own
	retryAt   time.Time       // when to try that again
	suspicion packet.Suspicion
	acquitted bool // it has outlived that
	fin       bool // the peer's FIN has come
	eof       bool // Read knows
	over      bool
	err       error // why
	waited    bool  // TIME-WAIT was reached
	proved    bool  // the handshake was completed
}

// published is what others may see of a connection. mu guards it.
type published struct {
	mu    sync.Mutex
	stats Stats
	err   error
}

// Stats is a snapshot of a connection.
type Stats struct {
	tcp.Info
	Dropped    int64 // packets that the loop was too slow for
	Stalls     int64 // times that the local queue was full
	SendErrors int64 // packets that could not be sent
	SendError  error // why, for the last of them
}

var (
	_ net.Conn      = (*Conn)(nil)
	_ io.ReaderFrom = (*Conn)(nil)
	_ io.WriterTo   = (*Conn)(nil)
)

func newConn(e *Endpoint, m *tcp.Machine, t tuple, index int) *Conn {
	c := &Conn{
		e: e, tuple: t, m: m, index: index, wake: newSignal(),
		established: make(chan struct{}), done: make(chan struct{}),
	}
	c.in.ready.L, c.out.space.L = &c.in.mu, &c.out.mu
	c.out.limit = minUnsent
	return c
}

// deliver implements sink.
func (c *Conn) deliver(as []*arrival) {
	c.box.put(as)
	c.wake.raise()
}

// Read implements net.Conn. It returns io.EOF after the peer's FIN.
func (c *Conn) Read(b []byte) (int, error) {
	n, told, err := c.in.read(b)
	if told {
		c.wake.raise()
	}
	if err != nil && err != io.EOF {
		err = opError("read", c.tuple, err)
	}
	return n, err
}

// WriteTo implements io.WriterTo: it writes what arrives to w, without copying it first, until the peer's FIN or an
// error of either side. What w has failed to take is lost.
func (c *Conn) WriteTo(w io.Writer) (n int64, err error) {
	for {
		r, told, err := c.in.next()
		if told {
			c.wake.raise()
		}
		switch {
		case err == io.EOF:
			return n, nil
		case err != nil:
			return n, opError("read", c.tuple, err)
		}
		k, err := w.Write(r.B)
		short := k < len(r.B)
		r.Release()
		n += int64(k)
		switch {
		case err != nil:
			return n, err
		case short:
			return n, io.ErrShortWrite
		}
	}
}

// ReadFrom implements io.ReaderFrom: it writes what r has until its end, without copying it first. It holds a buffer
// while it waits for r, and blocks as Write does.
func (c *Conn) ReadFrom(r io.Reader) (n int64, err error) {
	n, failed, err := c.out.fillFrom(r, c.wake.raise)
	if failed != nil {
		return n, opError("write", c.tuple, failed)
	}
	return n, err
}

// Write implements net.Conn. It copies b and returns when the last of it is on its way or will be: it blocks while more
// than twice the congestion window, and more than 1 MB, is not yet acknowledged.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b, c.wake.raise)
	if err != nil {
		err = opError("write", c.tuple, err)
	}
	return n, err
}

// CloseWrite ends our stream in order: the peer reads its end after what was written.
func (c *Conn) CloseWrite() error {
	if !c.out.order(orders{fin: true}) {
		return opError("close", c.tuple, net.ErrClosed)
	}
	c.wake.raise()
	return nil
}

// Close ends both streams and returns at once: what was written is still delivered, and the connection goes on in the
// background until the peer has closed too and TIME-WAIT is over. What was received and not read, or still comes, resets
// the connection (RFC 9293 §3.6.1).
func (c *Conn) Close() error {
	o := orders{fin: true, close: true}
	if lost := c.in.close(); lost {
		o.reset = tcp.ErrAborted
	}
	if !c.out.order(o) {
		return opError("close", c.tuple, net.ErrClosed)
	}
	c.wake.raise()
	return nil
}

// Abort resets the connection.
func (c *Conn) Abort() { c.abort(tcp.ErrAborted) }

func (c *Conn) abort(err error) {
	c.out.order(orders{fin: true, close: true, reset: err})
	c.wake.raise()
}

// Done is closed when the connection is over, TIME-WAIT included.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is why the connection is over; nil: it is not, or it ended in order.
func (c *Conn) Err() error {
	c.shown.mu.Lock()
	defer c.shown.mu.Unlock()
	return c.shown.err
}

// Stats is a snapshot.
func (c *Conn) Stats() Stats {
	dropped := c.box.drops()
	c.shown.mu.Lock()
	defer c.shown.mu.Unlock()
	st := c.shown.stats
	st.Dropped = dropped
	return st
}

// LocalAddr implements net.Conn; it is a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.tuple.local) }

// RemoteAddr implements net.Conn; it is a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.tuple.remote) }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.setDeadline(t)
	c.out.setDeadline(t)
	return nil
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(t)
	return nil
}

// opError gives an error the form of net's own.
func opError(op string, t tuple, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: tcpAddr(t.local), Addr: tcpAddr(t.remote), Err: err}
}

// tcpAddr is the address as net has it; nil without one.
func tcpAddr(a netip.AddrPort) net.Addr {
	if !a.IsValid() {
		return nil
	}
	return net.TCPAddrFromAddrPort(a)
}
