package inbound

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"hawser/proxy/relay"
	"hawser/transport/nonblock"
)

// client is one connection of an application. It is the net.Conn that net/http gets.
type client struct {
	net.Conn
	gate     *gate
	source   netip.Addr
	verdict  verdict // never refused
	stranger bool    // guarded by gate.mu

	out     *nonblock.Conn                 // what the answers go to
	head    []byte                         // read while the protocol was found out; owned by the reader
	busy    atomic.Bool                    // a request has arrived, or net/http has taken over
	forward atomic.Pointer[http.Transport] // plain HTTP of this client; nil until there is some
}

func newClient(conn net.Conn, g *gate, a *access) *client {
	c := &client{Conn: conn, gate: g, out: nonblock.Wrap(conn)}
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		c.source = a.AddrPort().Addr().WithZone("").Unmap()
	}
	c.verdict = a.judge(c.source)
	c.stranger = c.verdict == password
	return c
}

// Read gives what was read already first.
func (c *client) Read(b []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(b, c.head)
		if c.head = c.head[n:]; len(c.head) == 0 {
			c.head = nil
		}
		return n, nil
	}
	return c.Conn.Read(b)
}

// Write writes all of b.
func (c *client) Write(b []byte) (int, error) { return c.out.Write(b) }

// CloseWrite half-closes.
func (c *client) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// Close ends the connection and all that belongs to it.
func (c *client) Close() error {
	c.gate.leave(c)
	if t := c.forward.Swap(nil); t != nil {
		t.CloseIdleConnections()
	}
	return c.Conn.Close()
}

// abort closes with a reset, so that the application cannot take what it has for the whole.
func (c *client) abort() {
	c.gate.leave(c)
	relay.Abort(c.Conn)
}

// goodbye bounds how long a refused client may take to read the answer.
const goodbye = time.Second

// dismiss sends an answer and closes. Closing at once would send a reset when the application has sent more than was
// read, and the reset may overtake the answer.
func (c *client) dismiss(answer []byte) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(goodbye))
	if _, err := c.Write(answer); err != nil || c.CloseWrite() != nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn, relay.BufferSize)) // whatever comes, the answer was sent
}
