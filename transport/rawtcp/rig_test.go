package rawtcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hawser/cc"
	"hawser/transport/packet"
	"hawser/transport/packettest"
	"hawser/transport/tcp"
)

// The rig: two hosts in memory, a link, an Endpoint on each, in virtual time.

const listenPort = 7443

var anyAddress = netip.AddrPortFrom(netip.IPv6Unspecified(), listenPort)

var clientPorts = packet.Block{First: 61024, Count: 32}

type rig struct {
	t              testing.TB
	link           *packettest.Link
	client, server *Endpoint
	cconn, sconn   *packettest.Conn
	modes, smodes  *pathWithModes // the client's path, and the server's
	listener       *Listener
	v6             bool
}

// pathWithModes is a packet path that can be told to send by raw IP, as the real one.
type pathWithModes struct {
	*packettest.Conn
	reason string
	index  int
	next   atomic.Uint32 // the number of the byte after what was sent last
}

func (p *pathWithModes) Degrade(index int, reason string) { p.index, p.reason = index, reason }

func (p *pathWithModes) Restore(int) { p.index, p.reason = 0, "" }

// control makes controllers by name.
func control(name string) func(cc.Config) cc.Controller {
	return func(c cc.Config) cc.Controller {
		control, err := cc.New(name, c)
		if err != nil {
			panic(err)
		}
		return control
	}
}

func endpointConfig() tcp.Config {
	return tcp.Config{Control: control("cubic"), Secret: [32]byte{7}}
}

// inBubble runs a test in virtual time over a link.
func inBubble(t *testing.T, seed uint64, link packettest.LinkConfig, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, seed, link)
		defer r.close()
		f(r)
	})
}

func newRig(t testing.TB, seed uint64, link packettest.LinkConfig) *rig {
	t.Helper()
	n := packettest.New(seed)
	ch, sh := n.Host("client"), n.Host("server")
	r := &rig{t: t, link: n.Link(ch, sh, link)}
	r.cconn, r.sconn = ch.Open(r.link, clientPorts), sh.Open(nil, packet.Block{First: listenPort, Count: 1})
	r.modes, r.smodes = &pathWithModes{Conn: r.cconn}, &pathWithModes{Conn: r.sconn}
	var err error
	if r.client, err = New(Config{Conn: r.modes, Ports: clientPorts, TCP: endpointConfig()}); err != nil {
		t.Fatal(err)
	}
	if r.server, err = New(Config{Conn: r.smodes, Ports: packet.Block{First: listenPort, Count: 1}, TCP: endpointConfig()}); err != nil {
		t.Fatal(err)
	}
	if r.listener, err = r.server.Listen(anyAddress, tcp.ListenerConfig{}); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) close() {
	for _, e := range []*Endpoint{r.client, r.server} {
		if err := e.Close(); err != nil {
			r.t.Errorf("close: %v", err)
		}
	}
}

// addresses are those of the link.
func (r *rig) addresses() (client netip.Addr, server netip.AddrPort) {
	client, to := r.link.Addr(packettest.SideA), r.link.Addr(packettest.SideB)
	if r.v6 {
		client, to = r.link.Addr6(packettest.SideA), r.link.Addr6(packettest.SideB)
	}
	return client, netip.AddrPortFrom(to, listenPort)
}

func (r *rig) dial() (*Conn, error) {
	client, server := r.addresses()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return r.client.Dial(ctx, client, server)
}

// connect opens a connection and returns both ends.
func (r *rig) connect() (client, server *Conn) {
	r.t.Helper()
	client, err := r.dial()
	if err != nil {
		r.t.Fatal(err)
	}
	if server, err = r.listener.AcceptConn(); err != nil {
		r.t.Fatal(err)
	}
	return client, server
}

// pattern is n bytes that are nowhere alike, the same for the same key.
func pattern(key byte, n int) []byte {
	b := make([]byte, n)
	x := uint32(key)*2654435761 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

// converse sends up and down bytes at once, closes both ways, and checks that all came whole and both ends ended in
// order.
func (r *rig) converse(client, server *Conn, up, down int) {
	r.t.Helper()
	var wg sync.WaitGroup
	errs := make(chan error, 4)
	speak := func(c *Conn, b []byte) {
		defer wg.Done()
		_, err := c.Write(b)
		errs <- errors.Join(err, c.CloseWrite())
	}
	hear := func(c *Conn, want []byte) {
		defer wg.Done()
		got, err := io.ReadAll(c)
		if err == nil && !bytes.Equal(got, want) {
			err = fmt.Errorf("got %d bytes, want %d; they must be those sent", len(got), len(want))
		}
		errs <- err
	}
	wg.Add(4)
	a, b := pattern(1, up), pattern(2, down)
	go speak(client, a)
	go hear(server, a)
	go speak(server, b)
	go hear(client, b)
	wg.Wait()
	for range 4 {
		if err := <-errs; err != nil {
			r.t.Error(err)
		}
	}
	for _, c := range []*Conn{client, server} {
		<-c.Done()
		if err := c.Err(); err != nil {
			r.t.Errorf("%v: ended with %v", c.LocalAddr(), err)
		}
	}
}
