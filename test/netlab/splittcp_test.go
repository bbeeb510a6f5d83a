//go:build linux

package netlab_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"hawser/test/netlab"
)

func TestSplitTCPEndsConnectionsOnTheWay(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		p := newPath(t)
		proxy := p.router.SplitTCP()
		client, server := p.connect(v6)
		if got := addrOf(server); got != side(p.inside, netlab.SideA, v6) {
			t.Errorf("the server sees %v, want the client", got)
		}
		if got := addrOf(client); got != side(p.outside, netlab.SideA, v6) {
			t.Errorf("the client sees %v, want the server", got)
		}
		t.Log("# the server cannot be reached, yet the client's data are acknowledged: TCP ends at the router")
		p.outside.BlackHole(netlab.BToA, true)
		sent := bytes.Repeat([]byte("0123456789"), 2000)
		if _, err := client.Write(sent); err != nil {
			t.Fatal(err)
		}
		awaitThat(t, "the client has nothing unacknowledged", func() bool { return outstanding(t, client) == 0 })
		p.outside.BlackHole(netlab.BToA, false)
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("what came is what was sent: %v; %v", bytes.Equal(got, sent), err)
		}
		t.Log("# ends are passed on as ends, each direction by itself")
		_ = client.(*net.TCPConn).CloseWrite()
		if n, err := server.Read(got); n != 0 || err != io.EOF {
			t.Errorf("the server read %d bytes, %v, want the end", n, err)
		}
		say(t, server, client)
		if proxy.Connections() != 1 {
			t.Errorf("%d connections were split, want 1", proxy.Connections())
		}
	}
}

func TestSplitTCPPassesOnResets(t *testing.T) {
	p := newPath(t)
	proxy := p.router.SplitTCP()
	client, server := p.connect(false)
	say(t, client, server)
	_ = server.(*net.TCPConn).SetLinger(0)
	_ = server.Close()
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client read %v, want a reset", err)
	}
	t.Log("# a server that refuses: the client was connected before anybody asked")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := p.client.Dial(ctx, "tcp", netip.AddrPortFrom(p.outside.Addr(netlab.SideA), 9).String())
	if err == nil {
		_ = c.SetDeadline(time.Now().Add(patience))
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client got %v, want a reset", err)
	}
	t.Log("# without the proxy connections are forwarded again")
	if err := proxy.Close(); err != nil {
		t.Fatal(err)
	}
	client, server = p.connect(false)
	say(t, client, server)
	if proxy.Connections() != 2 {
		t.Errorf("%d connections were split, want 2", proxy.Connections())
	}
}

// TestSplitTCPTakesMPTCPAway has the kernel's MPTCP on both ends.
func TestSplitTCPTakesMPTCPAway(t *testing.T) {
	for _, split := range []bool{false, true} {
		p := newPath(t)
		if split {
			p.router.SplitTCP()
		}
		var d net.Dialer
		var lc net.ListenConfig
		d.SetMultipathTCP(true)
		lc.SetMultipathTCP(true)
		at := netip.AddrPortFrom(p.outside.Addr(netlab.SideA), 8000).String()
		var l net.Listener
		err := p.server.Do(func() (err error) {
			l, err = lc.Listen(t.Context(), "tcp", at)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		var c net.Conn
		err = p.client.Do(func() (err error) {
			c, err = d.DialContext(t.Context(), "tcp", at)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		used, err := c.(*net.TCPConn).MultipathTCP()
		if err != nil || used == split {
			t.Errorf("MPTCP is used: %v with the proxy: %v; %v", used, split, err)
		}
	}
}
