package tunneltest

import (
	"io"
	"net"
	"sync"
	"time"
)

// Conn is one end of a line. It satisfies tunnel.Transport.
type Conn struct {
	in, out         *half
	readBy, writeBy *deadline
	local, remote   *net.TCPAddr

	mu      sync.Mutex
	closed  bool
	secret  []byte
	group   string
	initial uint8
	survive time.Duration
	end     *ending
}

// ending is the end of the connection, shared by both ends.
type ending struct {
	once sync.Once
	done chan struct{}
	err  error
}

func (e *ending) set(err error) {
	e.once.Do(func() {
		e.err = err
		close(e.done)
	})
}

// Pipe makes two joined ends.
func Pipe(l Line) (client, server *Conn) {
	up, down := newHalf(l), newHalf(l)
	e := &ending{done: make(chan struct{})}
	a, b := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 40000}, &net.TCPAddr{IP: net.IPv4(198, 51, 100, 1), Port: 7444}
	return newConn(down, up, a, b, e), newConn(up, down, b, a, e)
}

func newConn(in, out *half, local, remote *net.TCPAddr, e *ending) *Conn {
	return &Conn{in: in, out: out, readBy: newDeadline(), writeBy: newDeadline(), local: local, remote: remote, end: e}
}

// Read reads what has arrived.
func (c *Conn) Read(b []byte) (int, error) { return c.in.read(b, c.readBy) }

// Write waits while the send buffer is full.
func (c *Conn) Write(b []byte) (int, error) { return c.out.write(b, c.writeBy) }

// CloseWrite gives the other end io.EOF after what was written.
func (c *Conn) CloseWrite() error {
	c.out.update(func() { c.out.fin = true })
	return nil
}

// Close is CloseWrite, and reads fail.
func (c *Conn) Close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	c.mu.Unlock()
	if again {
		return net.ErrClosed
	}
	_ = c.CloseWrite()
	c.readBy.set(time.Unix(1, 0))
	if c.peerClosed() {
		c.end.set(io.EOF)
	}
	return nil
}

// peerClosed tells whether the other end has ended its direction too.
func (c *Conn) peerClosed() bool {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return c.in.fin
}

// Abort ends both directions at both ends.
func (c *Conn) Abort() { c.Cut(ErrAborted) }

// Cut ends the connection at both ends with err.
func (c *Conn) Cut(err error) {
	c.in.end(err)
	c.out.end(err)
	c.end.set(err)
}

// Stall stops or resumes the line both ways: no uplink works, as Waiting then tells.
func (c *Conn) Stall(on bool) {
	for _, h := range []*half{c.in, c.out} {
		h.update(func() { h.stalled = on })
	}
}

// Waiting tells that the line is stalled.
func (c *Conn) Waiting() bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.stalled
}

// Sent is how many bytes this end has written.
func (c *Conn) Sent() int64 {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.total
}

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.end.done }

// Err is why.
func (c *Conn) Err() error {
	select {
	case <-c.end.done:
		return c.end.err
	default:
		return nil
	}
}

// Backlog is how many bytes wait to be sent.
func (c *Conn) Backlog() int {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.backlog(time.Now())
}

// Rate is the line's.
func (c *Conn) Rate() int { return c.out.line.Rate }

// InitialID is always 1.
func (c *Conn) InitialID() uint8 { return 1 }

// Encrypts reports what the Line says. Nothing is encrypted.
func (c *Conn) Encrypts() bool { return c.out.line.Encrypts }

// Authenticate notes its arguments.
func (c *Conn) Authenticate(group string, initial uint8, survive time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.group, c.initial, c.survive = group, initial, survive
	return c.Err()
}

// Bind notes the secret.
func (c *Conn) Bind(secret []byte, _ bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secret = append([]byte(nil), secret...)
}

// Authenticated gives the arguments of Bind and Authenticate; a nil secret: Bind was not called.
func (c *Conn) Authenticated() (secret []byte, group string, initial uint8, survive time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.secret, c.group, c.initial, c.survive
}

// LocalAddr is a *net.TCPAddr for documentation.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is a *net.TCPAddr for documentation.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	c.readBy.set(t)
	c.writeBy.set(t)
	return nil
}

// SetReadDeadline makes reads fail from t on; zero: never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.readBy.set(t)
	return nil
}

// SetWriteDeadline makes writes fail from t on; zero: never.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.writeBy.set(t)
	return nil
}
