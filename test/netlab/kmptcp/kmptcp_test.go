//go:build linux

package kmptcp_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"hawser/test/netlab"
	"hawser/test/netlab/kmptcp"
)

func TestEndpointsAndLimitsAreSetAndListed(t *testing.T) {
	m := multihome(t)
	got, err := kmptcp.Endpoints(m.Client)
	if err != nil {
		t.Fatal(err)
	}
	var want []kmptcp.Endpoint
	for n, l := range m.Uplinks {
		e := kmptcp.Endpoint{Addr: l.Addr(netlab.SideA), ID: uint8(n + 1), Flags: kmptcp.Subflow}
		if n < len(got) {
			e.Index = got[n].Index
		}
		want = append(want, e)
	}
	if !slices.Equal(got, want) || got[0].Index == 0 || got[0].Index == got[1].Index {
		t.Errorf("endpoints %+v, want %+v and the index of each interface", got, want)
	}
	for _, h := range []*netlab.Host{m.Client, m.Server} {
		want := kmptcp.Limits{Subflows: kmptcp.MaxSubflows, AddAddrs: kmptcp.MaxSubflows}
		if l, err := kmptcp.ReadLimits(h); err != nil || l != want {
			t.Errorf("limits of %s: %+v, %v, want %+v", h.Name(), l, err, want)
		}
	}
	if other, err := kmptcp.Endpoints(m.Server); err != nil || len(other) != 0 {
		t.Errorf("the server has endpoints %v, %v", other, err)
	}
	six := kmptcp.Endpoint{Addr: netip.MustParseAddr("2001:db8::1"), ID: 200, Flags: kmptcp.Signal | kmptcp.Backup}
	if err := kmptcp.AddEndpoint(m.Server, six); err != nil {
		t.Fatal(err)
	}
	if list, err := kmptcp.Endpoints(m.Server); err != nil || !slices.Equal(list, []kmptcp.Endpoint{six}) {
		t.Errorf("endpoints %+v, %v, want %+v", list, err, six)
	}
	if err := kmptcp.AddEndpoint(m.Server, six); err == nil {
		t.Error("the same endpoint twice is no error")
	}
}

func TestEveryUplinkJoinsAndIsCountedAtBothEnds(t *testing.T) {
	m := multihome(t)
	ln := listen(t, m.Server, kmptcp.Listen)
	before := readings(t, m)
	conn, err := kmptcp.Dial(t.Context(), m.Client, m.Uplinks[1].Addr(netlab.SideA), ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	await(t, "the second subflow at both ends", func() bool {
		exchange(t, conn)
		now := readings(t, m)
		return now[0].Since(before[0]).Joins() == 1 && now[1].Since(before[1]).Joins() == 1
	})
	for n, now := range readings(t, m) {
		d := now.Since(before[n])
		if err := d.Proof(1); err != nil {
			t.Error(err)
		}
		if d.Proof(2) == nil {
			t.Errorf("counters prove two further subflows where one is: %v", d)
		}
	}
	for n, l := range m.Uplinks {
		if l.Bytes(netlab.AToB) == 0 {
			t.Errorf("uplink %d carried nothing", n)
		}
	}
}

func TestAFallbackIsAnErrorAndCounted(t *testing.T) {
	m := multihome(t)
	ln := listen(t, m.Server, func(h *netlab.Host, address string) (net.Listener, error) { return h.Listen("tcp", address) })
	before := readings(t, m)
	conn, err := kmptcp.Dial(t.Context(), m.Client, netip.Addr{}, ln.Addr().String())
	if err == nil {
		_ = conn.Close()
		t.Fatal("a connection to a peer without MPTCP is no error")
	}
	d := readings(t, m)[0].Since(before[0])
	if d.Fallbacks() != 1 || d.Proof(0) == nil {
		t.Errorf("%d fallbacks counted, want 1, of %v", d.Fallbacks(), d)
	}
}

// multihome is a lab with two emulated uplinks and the kernel's MPTCP over both.
func multihome(t *testing.T) *netlab.Multihome {
	lab := netlab.New(t)
	link := netlab.LinkConfig{ARate: 50 * netlab.Mbit, BRate: 50 * netlab.Mbit, Delay: time.Millisecond}
	m := lab.Multihome(lab.Host("client"), lab.Host("server"), []netlab.LinkConfig{link, link})
	if err := kmptcp.Multihome(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// listen serves an echo on the server.
func listen(t *testing.T, h *netlab.Host, open func(*netlab.Host, string) (net.Listener, error)) net.Listener {
	ln, err := open(h, "203.0.113.1:9000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return ln
}

// exchange sends one byte there and back: what tells the kernel that the connection is established.
func exchange(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := conn.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// readings are the counters of client and server.
func readings(t *testing.T, m *netlab.Multihome) (c [2]kmptcp.Counters) {
	t.Helper()
	for n, h := range []*netlab.Host{m.Client, m.Server} {
		var err error
		if c[n], err = kmptcp.ReadCounters(h); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); !done(); {
		select {
		case <-ctx.Done():
			t.Fatalf("waited 10 s for %s", what)
		case <-tick.C:
		}
	}
}
