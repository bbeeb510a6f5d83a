package mptcp

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"hawser/transport"
)

// Conn is one MPTCP connection. Its methods are safe for concurrent use.
type Conn struct {
	id          string
	carrier     transport.Carrier // client
	carrierName string
	encrypts    bool // the carrier does, from Authenticate on

	core      *core // the loop's; set before it starts
	box       inbox
	in        inGate
	outg      outGate
	readTurn  chan struct{} // capacity 1: one Read at a time
	writeTurn chan struct{}
	readBy    deadline
	writeBy   deadline

	ready chan struct{} // closed when established
	done  chan struct{} // closed when the loop has ended
	err   error         // why; valid after done

	local, remote atomic.Pointer[net.TCPAddr]
	initial       atomic.Uint32 // address id of the first subflow's uplink
	rate          atomic.Int64
	waiting       atomic.Bool
	group         atomic.Pointer[string]
	onReady       func() // server
	onEnd         func()
}

// connCount numbers the connections of the process.
var connCount atomic.Uint64

func newConn(budget *Budget) *Conn {
	c := &Conn{
		id:  fmt.Sprint(connCount.Add(1)),
		box: newInbox(), in: newInGate(), outg: newOutGate(budget),
		readTurn: make(chan struct{}, 1), writeTurn: make(chan struct{}, 1),
		readBy: newDeadline(), writeBy: newDeadline(),
		ready: make(chan struct{}), done: make(chan struct{}),
	}
	c.local.Store(&net.TCPAddr{})
	c.remote.Store(&net.TCPAddr{})
	return c
}

// ID names the connection in logs and in the status API.
func (c *Conn) ID() string { return c.id }

// Read reads bytes in order. Errors are *net.OpError, or io.EOF after the peer's CloseWrite.
func (c *Conn) Read(p []byte) (int, error) {
	expired := c.readBy.passed()
	if isClosed(expired) {
		return 0, c.opError("read", os.ErrDeadlineExceeded)
	}
	select {
	case c.readTurn <- struct{}{}:
		defer func() { <-c.readTurn }()
	case <-expired:
		return 0, c.opError("read", os.ErrDeadlineExceeded)
	}
	for {
		n, tell, err := c.in.read(p)
		if tell {
			c.box.kick()
		}
		switch {
		case err == io.EOF:
			return n, io.EOF
		case err != nil:
			return n, c.opError("read", err)
		case n > 0 || len(p) == 0:
			return n, nil
		}
		select {
		case <-c.in.ready:
		case <-expired:
			return 0, c.opError("read", os.ErrDeadlineExceeded)
		}
	}
}

// Write puts bytes into the stream. It blocks while more than 2 ms of what the uplinks deliver, and 64 kB, wait for a
// subflow. Errors are *net.OpError.
func (c *Conn) Write(p []byte) (int, error) {
	expired := c.writeBy.passed()
	if isClosed(expired) {
		return 0, c.opError("write", os.ErrDeadlineExceeded)
	}
	select {
	case c.writeTurn <- struct{}{}:
		defer func() { <-c.writeTurn }()
	case <-expired:
		return 0, c.opError("write", os.ErrDeadlineExceeded)
	}
	total := 0
	for {
		n, err := c.outg.write(p[total:])
		total += n
		if n > 0 {
			c.box.kick()
		}
		switch {
		case err != nil:
			return total, c.opError("write", err)
		case total == len(p):
			return total, nil
		}
		select {
		case <-c.outg.space:
		case <-expired:
			return total, c.opError("write", os.ErrDeadlineExceeded)
		}
	}
}

// CloseWrite ends the stream after what was written: the peer reads io.EOF (DATA_FIN, RFC 8684 §3.3.3).
func (c *Conn) CloseWrite() error {
	c.outg.closeWrite()
	c.box.kick()
	return nil
}

// Close ends the connection. What was written is still delivered, in the background and for a bounded time; what was
// not read is dropped.
func (c *Conn) Close() error {
	c.in.close()
	c.outg.closeWrite()
	c.box.put(message{do: c.closedByUs})
	return nil
}

// Abort breaks the connection off: the peer's reads fail with a reset (MP_FASTCLOSE, RFC 8684 §3.5).
func (c *Conn) Abort() {
	c.in.close()
	c.outg.fail(net.ErrClosed)
	c.box.put(message{do: c.abortedByUs})
}

// Done is closed when the connection has ended and everything was given back.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is why the connection ended: net.ErrClosed after an end in order. nil before Done.
func (c *Conn) Err() error {
	if !isClosed(c.done) {
		return nil
	}
	return c.err
}

// Bind binds the connection to secret, which both ends share and no path knows (docs/protocol.md §1.3): joins carry it,
// and what the carriers say is sealed with keys from it (§1.6), by ChaCha20-Poly1305 or AES-128-GCM. A client must call
// it before it sends what makes the server call it; both before Authenticate.
func (c *Conn) Bind(secret []byte, chaCha bool) {
	secret = append([]byte(nil), secret...)
	c.settled(func(k *core, _ time.Time) { k.bind(secret, chaCha) })
}

// Authenticate says that the peer has proved who it is: from now on joins are made and accepted, and
// the connection outlives its subflows for survive (at most Config.Survive). On a server group names the peer's process
// and initial is the address id that the first subflow's uplink has there; the board tells the uplinks of a peer apart
// by them. A server must call it before it tells the peer that it is welcome. Whatever is written after it is sealed. The
// error says that the connection has ended, for one because of a path (ErrTampered).
func (c *Conn) Authenticate(group string, initial uint8, survive time.Duration) error {
	c.group.Store(&group)
	var err error
	if !c.settled(func(k *core, now time.Time) {
		k.authenticate(now, group, initial, survive)
		err = k.err
	}) {
		<-c.done // or soon
		err = c.err
	}
	return err
}

// Encrypts reports whether nobody on a path can read what is written after Bind and Authenticate.
func (c *Conn) Encrypts() bool { return c.encrypts }

// InitialID is the address id of the first subflow's uplink.
func (c *Conn) InitialID() uint8 { return uint8(c.initial.Load()) }

// Backlog is the number of bytes written and not yet given to a subflow.
func (c *Conn) Backlog() int { return c.outg.backlog() }

// Rate is what the connection's uplinks deliver together, bytes/s; 0: not known.
func (c *Conn) Rate() int { return int(c.rate.Load()) }

// Group is what Authenticate was told of the peer's process; empty before.
func (c *Conn) Group() string {
	if g := c.group.Load(); g != nil {
		return *g
	}
	return ""
}

// Waiting reports whether the connection lives on without a subflow that works.
func (c *Conn) Waiting() bool { return c.waiting.Load() }

// LocalAddr returns the *net.TCPAddr of the first subflow's near end.
func (c *Conn) LocalAddr() net.Addr { return c.local.Load() }

// RemoteAddr returns the *net.TCPAddr of the first subflow's far end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote.Load() }

// SetDeadline sets both deadlines, as net.Conn says.
func (c *Conn) SetDeadline(t time.Time) error {
	c.readBy.set(t)
	c.writeBy.set(t)
	return nil
}

// SetReadDeadline sets the deadline of Read.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.readBy.set(t)
	return nil
}

// SetWriteDeadline sets the deadline of Write.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.writeBy.set(t)
	return nil
}

// wait blocks until the connection is established.
func (c *Conn) wait(ctx context.Context) error {
	select {
	case <-c.ready:
		return nil
	case <-c.done:
		return c.err
	case <-ctx.Done():
		c.Abort()
		return ctx.Err()
	}
}

func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "mptcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}
