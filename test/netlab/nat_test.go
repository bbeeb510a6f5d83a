//go:build linux

package netlab_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hawser/test/netlab"
)

// A path is a client behind a router, and a server:
//
//	client ── inside ── router ── outside ── server
type path struct {
	t                      *testing.T
	client, router, server *netlab.Host
	inside, outside        *netlab.Link // side A is client and server
}

func newPath(t *testing.T) *path {
	t.Helper()
	netlab.NeedNFTables(t)
	lab := netlab.New(t)
	p := &path{t: t, client: lab.Host("client"), router: lab.Router("router"), server: lab.Host("server")}
	p.inside = lab.Link(p.client, p.router, netlab.LinkConfig{Name: "in", Uplink: true, Emulate: true})
	p.outside = lab.Link(p.server, p.router, netlab.LinkConfig{Name: "out", Uplink: true, Emulate: true})
	return p
}

// side is an address of the link's side in one family.
func side(k *netlab.Link, s netlab.Side, v6 bool) netip.Addr {
	if v6 {
		return k.Addr6(s)
	}
	return k.Addr(s)
}

// connect opens a TCP connection from the client to the server.
func (p *path) connect(v6 bool) (client, server net.Conn) {
	p.t.Helper()
	return dialTo(p.t, p.client, p.server, netip.AddrPortFrom(side(p.outside, netlab.SideA, v6), 8000))
}

const patience = 20 * time.Second

// dialTo opens a TCP connection between two hosts and gives both ends.
func dialTo(t *testing.T, from, to *netlab.Host, at netip.AddrPort) (client, server net.Conn) {
	t.Helper()
	l, err := to.Listen("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if client, err = from.Dial(ctx, "tcp", at.String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{client, server} {
		_ = c.SetDeadline(time.Now().Add(patience))
		t.Cleanup(func() { _ = c.Close() })
	}
	return client, server
}

// say sends a word, and wants it to arrive and to be acknowledged: then nothing is on its way any more.
func say(t *testing.T, from, to net.Conn) {
	t.Helper()
	if _, err := from.Write([]byte("word")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	awaitThat(t, "the word is acknowledged", func() bool { return outstanding(t, from) == 0 })
}

// wantReset wants a connection to be reset after a word into the void.
func wantReset(t *testing.T, why string, c net.Conn) {
	t.Helper()
	if _, err := c.Write([]byte("word")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%s: read %v, want a reset", why, err)
	}
}

// awaitThat waits until something holds.
func awaitThat(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for start := time.Now(); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > patience {
			t.Fatalf("%s: not after %v", what, patience)
		}
	}
}

func TestMasqueradeGivesTheRoutersAddress(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		p := newPath(t)
		_, before := p.connect(v6)
		if got := addrOf(before); got != side(p.inside, netlab.SideA, v6) {
			t.Errorf("without translation the server sees %v", got)
		}
		nat := p.router.Masquerade(p.outside, netlab.NATConfig{})
		client, server := p.connect(v6)
		if got := addrOf(server); got != side(p.outside, netlab.SideB, v6) {
			t.Errorf("the server sees %v, want the router's address", got)
		}
		say(t, client, server)
		say(t, server, client)
		if nat.Entries() == 0 {
			t.Error("the router remembers no connection")
		}
	}
}

func addrOf(c net.Conn) netip.Addr { return c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap() }

func TestNATForgetsItsConnections(t *testing.T) {
	t.Log("# as on a Linux router: the inside speaks and the connection is known again")
	p := newPath(t)
	nat := p.router.Masquerade(p.outside, netlab.NATConfig{})
	client, server := p.connect(false)
	say(t, client, server)
	nat.Flush()
	say(t, client, server)
	say(t, server, client)
	t.Log("# but not if the outside speaks first")
	nat.Flush()
	wantReset(t, "a segment to a port that is nobody's", server)

	t.Log("# strict: nothing from inside passes either")
	p = newPath(t)
	nat = p.router.Masquerade(p.outside, netlab.NATConfig{Strict: true})
	client, server = p.connect(false)
	say(t, client, server)
	nat.Flush()
	in, out := countTCP(p.inside, netlab.AToB), countTCP(p.outside, netlab.BToA)
	if _, err := client.Write([]byte("word")); err != nil {
		t.Fatal(err)
	}
	awaitThat(t, "the segment and a repetition reach the router", func() bool { return in.Load() >= 2 })
	if got := out.Load(); got != 0 {
		t.Errorf("%d segments left a router that knows no connection", got)
	}
	wantReset(t, "a segment to a port that is nobody's", server)
}

// countTCP counts the TCP segments over IPv4 that enter a direction of a link from now on.
func countTCP(k *netlab.Link, d netlab.Direction) *atomic.Int64 {
	var n atomic.Int64
	k.SetStages(d, netlab.StageFunc(func(f []byte) [][]byte {
		if len(f) > 23 && f[12] == 8 && f[13] == 0 && f[23] == 6 {
			n.Add(1)
		}
		return [][]byte{f}
	}))
	return &n
}

func TestNATForgetsWhatIsIdle(t *testing.T) {
	p := newPath(t)
	nat := p.router.Masquerade(p.outside, netlab.NATConfig{Strict: true, Established: 30 * time.Second})
	client, server := p.connect(false)
	nat.SetEstablishedTimeout(time.Second)
	say(t, client, server)
	awaitThat(t, "the router forgets", func() bool { return nat.Entries() == 0 })
	wantReset(t, "a forgotten connection", server)
}

func TestNATChangesItsAddress(t *testing.T) {
	p := newPath(t)
	nat := p.router.Masquerade(p.outside, netlab.NATConfig{})
	client, server := p.connect(false)
	say(t, client, server)
	old := addrOf(server)
	next := old.Next().Next()
	nat.ChangeAddress(netip.PrefixFrom(next, 24).String())
	t.Log("# the server meets a stranger and resets it")
	wantReset(t, "a connection through the old address", client)
	_, server = p.connect(false)
	if got := addrOf(server); got != next {
		t.Errorf("the server sees %v, want %v", got, next)
	}
}
