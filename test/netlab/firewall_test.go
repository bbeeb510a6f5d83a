//go:build linux

package netlab_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"hawser/test/netlab"
)

// try opens a connection to a port of a host that listens there. A refusal comes at once; silence is told by a deadline
// that only a test that fails has to wait out, since what is lost has been counted by then.
func try(t *testing.T, from, to *netlab.Host, at netip.AddrPort, wait time.Duration) error {
	t.Helper()
	l, err := to.Listen("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	c, err := from.Dial(ctx, "tcp", at.String())
	if err == nil {
		_ = c.Close()
	}
	return err
}

func TestFirewallOfAHost(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		p := newPath(t)
		client := netip.AddrPortFrom(side(p.inside, netlab.SideA, v6), 80)
		server := func(port uint16) netip.AddrPort {
			return netip.AddrPortFrom(side(p.outside, netlab.SideA, v6), port)
		}
		t.Log("# a connection from before the filter is not known to it: the server's own word makes it so")
		near, far := p.connect(v6)
		p.server.Firewall(netlab.Firewall{In: []uint16{80, 443}, Reject: true})
		if err := try(t, p.client, p.server, server(443), patience); err != nil {
			t.Errorf("an open port: %v", err)
		}
		if err := try(t, p.client, p.server, server(81), patience); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a closed port: %v, want a refusal", err)
		}
		if err := try(t, p.server, p.client, client, patience); err != nil {
			t.Errorf("from the server: %v", err)
		}
		say(t, far, near)
		say(t, near, far)

		t.Log("# the other way: what the host itself may open")
		p.server.Firewall(netlab.Firewall{Out: []uint16{443}, Reject: true})
		if err := try(t, p.server, p.client, client, patience); err == nil {
			t.Error("the server opened a connection that its filter forbids")
		}
		t.Log("# dropped without a word")
		p.server.Firewall(netlab.Firewall{})
		if err := try(t, p.client, p.server, server(80), 300*time.Millisecond); !isTimeout(err) {
			t.Errorf("a closed port: %v, want silence", err)
		}
		p.server.NoFirewall()
		if err := try(t, p.client, p.server, server(81), patience); err != nil {
			t.Errorf("without a filter: %v", err)
		}
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func TestFirewallOfARouter(t *testing.T) {
	p := newPath(t)
	inner := netip.AddrPortFrom(p.inside.Addr(netlab.SideA), 80)
	outer := netip.AddrPortFrom(p.outside.Addr(netlab.SideA), 80)
	p.router.ForwardFirewall(p.inside, netlab.Firewall{Reject: true})
	near, far := p.connect(false)
	say(t, near, far)
	say(t, far, near)
	if err := try(t, p.server, p.client, inner, patience); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("from outside: %v, want a refusal", err)
	}
	p.router.ForwardFirewall(p.inside, netlab.Firewall{In: []uint16{80}, Out: []uint16{443}, Reject: true})
	if err := try(t, p.server, p.client, inner, patience); err != nil {
		t.Errorf("to a port that is forwarded: %v", err)
	}
	if err := try(t, p.client, p.server, outer, patience); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("to a port that is closed to the inside: %v, want a refusal", err)
	}
}
