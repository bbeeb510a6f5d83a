//go:build linux

package netlab_test

import (
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"hawser/test/netlab"
)

// reachTime bounds an attempt to reach a host. Where none should succeed, it is short.
const (
	reachTime  = 5 * time.Second
	refuseTime = 200 * time.Millisecond
)

// payload is what reach sends, in bytes: more than any chatter on a link.
const payload = 20_000

// reach sends payload from a host to an address over TCP and waits for the answer; source and device may be empty.
func reach(t *testing.T, from, to *netlab.Host, target netip.Addr, source, device string) error {
	t.Helper()
	return reachIn(t, reachTime, from, to, target, source, device)
}

// wantUnreachable fails when reach succeeds.
func wantUnreachable(t *testing.T, why string, from, to *netlab.Host, target netip.Addr, source, device string) {
	t.Helper()
	if reachIn(t, refuseTime, from, to, target, source, device) == nil {
		t.Errorf("%s: %s reached %v from %q %q", why, from.Name(), target, source, device)
	}
}

func reachIn(t *testing.T, limit time.Duration, from, to *netlab.Host, target netip.Addr, source, device string) error {
	t.Helper()
	l, err := to.Listen("tcp", net.JoinHostPort(target.String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		if c, err := l.Accept(); err == nil {
			if _, err := io.ReadFull(c, make([]byte, payload)); err == nil {
				_, _ = c.Write([]byte{1})
			}
			_ = c.Close()
		}
	}()
	d := net.Dialer{Timeout: limit}
	if source != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(source)}
	}
	if device != "" {
		d.Control = func(_, _ string, c syscall.RawConn) error {
			var bound error
			err := c.Control(func(fd uintptr) { bound = syscall.BindToDevice(int(fd), device) })
			if err != nil {
				return err
			}
			return bound
		}
	}
	return from.Do(func() error {
		c, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
			return err
		}
		if _, err := c.Write(make([]byte, payload)); err != nil {
			return err
		}
		_, err = c.Read(make([]byte, 1))
		return err
	})
}

func uplinks() []netlab.LinkConfig {
	return []netlab.LinkConfig{
		{Name: "dsl", ARate: 50 * netlab.Mbit, BRate: 50 * netlab.Mbit, Delay: 2 * time.Millisecond},
		{Name: "lte", ARate: 30 * netlab.Mbit, BRate: 30 * netlab.Mbit, Delay: 5 * time.Millisecond},
	}
}

func TestEachUplinkOfAMultihomeLeadsToTheServer(t *testing.T) {
	for _, tt := range []struct {
		name     string
		families []netlab.Family
		v4, v6   bool
	}{
		{"both", nil, true, true},
		{"IPv4 only", []netlab.Family{netlab.IPv4}, true, false},
		{"IPv6 only", []netlab.Family{netlab.IPv6}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lab := netlab.New(t)
			m := lab.Multihome(lab.Host("client"), lab.Host("server"), uplinks(), tt.families...)
			if m.Addr.IsValid() != tt.v4 || m.Addr6.IsValid() != tt.v6 {
				t.Fatalf("the server has addresses %v and %v", m.Addr, m.Addr6)
			}
			for _, target := range []netip.Addr{m.Addr, m.Addr6} {
				if target.IsValid() {
					wantEachUplink(t, m, target)
				}
			}
		})
	}
}

// wantEachUplink reaches the server by source address and by device over each uplink, and sees by the bytes that it
// was that one.
func wantEachUplink(t *testing.T, m *netlab.Multihome, target netip.Addr) {
	t.Helper()
	for n, l := range m.Uplinks {
		source := l.Addr(netlab.SideA)
		if target.Is6() {
			source = l.Addr6(netlab.SideA)
		}
		for _, by := range [][2]string{{source.String(), ""}, {"", l.Interface(netlab.SideA)}} {
			var before []int64
			for _, l := range m.Uplinks {
				before = append(before, l.Bytes(netlab.AToB))
			}
			if err := reach(t, m.Client, m.Server, target, by[0], by[1]); err != nil {
				t.Errorf("%v by %q: %v", target, by, err)
				continue
			}
			for other, l := range m.Uplinks {
				if used := l.Bytes(netlab.AToB)-before[other] > payload; used != (other == n) {
					t.Errorf("%v by %q: uplink %d carried it: %v", target, by, other, used)
				}
			}
		}
	}
}

func TestInterfaceComesBackWithItsAddressesAndRoutes(t *testing.T) {
	lab := netlab.New(t)
	m := lab.Multihome(lab.Host("client"), lab.Host("server"), uplinks())
	dsl := m.Uplinks[0]
	for _, cycle := range []struct {
		name      string
		cut, mend func()
	}{
		{"down", func() { dsl.Down(netlab.SideA) }, func() { dsl.Up(netlab.SideA) }},
		{"far end down", func() { dsl.Down(netlab.SideB) }, func() { dsl.Up(netlab.SideB) }},
	} {
		for _, target := range []netip.Addr{m.Addr, m.Addr6} {
			cycle.cut()
			if cycle.name == "down" {
				wantUnreachable(t, "interface down", m.Client, m.Server, target, "", "dsl")
				if err := reach(t, m.Client, m.Server, target, "", "lte"); err != nil {
					t.Errorf("%s: the other uplink: %v", cycle.name, err)
				}
			}
			cycle.mend()
			if err := reach(t, m.Client, m.Server, target, "", "dsl"); err != nil {
				t.Errorf("%s: %v not reached after it: %v", cycle.name, target, err)
			}
		}
	}
}

func TestUnpluggedInterfaceHasNoCarrier(t *testing.T) {
	lab := netlab.New(t)
	a, b := lab.Host("a"), lab.Host("b")
	l := lab.Link(a, b, netlab.LinkConfig{Name: "dsl", Emulate: true})
	running := func() (on bool) {
		err := a.Do(func() error {
			dev, err := net.InterfaceByName("dsl")
			if err != nil {
				return err
			}
			if dev.Flags&net.FlagUp == 0 {
				t.Error("the interface is down")
			}
			on = dev.Flags&net.FlagRunning != 0
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return on
	}
	l.Unplug(netlab.SideA)
	for deadline := time.Now().Add(5 * time.Second); running(); { // the kernel tells with a delay
		if time.Now().After(deadline) {
			t.Fatal("still running 5 s after unplugging")
		}
	}
	l.Plug(netlab.SideA)
	if err := reach(t, a, b, l.Addr(netlab.SideB), "", ""); err != nil {
		t.Errorf("after plugging in: %v", err)
	}
}

func TestUplinkMovesToAnotherAddress(t *testing.T) {
	lab := netlab.New(t)
	m := lab.Multihome(lab.Host("client"), lab.Host("server"), uplinks())
	m.Client.FlushAddrs("dsl")
	if left := m.Client.Addrs("dsl"); len(left) != 0 {
		t.Errorf("addresses %v are left", left)
	}
	for _, target := range []netip.Addr{m.Addr, m.Addr6} {
		wantUnreachable(t, "no address", m.Client, m.Server, target, "", "dsl")
	}
	t.Log("# new addresses, of the same prefix and of another one that the router knows")
	m.Client.AddAddr("dsl", "192.168.1.77/24")
	m.Client.AddAddr("dsl", "2001:db8:1::77/64")
	m.Router.AddAddr("dsl", "172.16.9.1/24")
	m.Client.AddAddr("dsl", "172.16.9.77/24")
	for source, target := range map[string]netip.Addr{
		"192.168.1.77": m.Addr, "172.16.9.77": m.Addr, "2001:db8:1::77": m.Addr6,
	} {
		before := m.Uplinks[0].Bytes(netlab.AToB)
		if err := reach(t, m.Client, m.Server, target, source, ""); err != nil {
			t.Errorf("from %s: %v", source, err)
		}
		if m.Uplinks[0].Bytes(netlab.AToB)-before < payload {
			t.Errorf("from %s: dsl did not carry it", source)
		}
	}
	m.Client.DelAddr("dsl", "192.168.1.77/24")
	wantUnreachable(t, "address gone", m.Client, m.Server, m.Addr, "192.168.1.77", "")
	if err := reach(t, m.Client, m.Server, m.Addr, "", "dsl"); err != nil {
		t.Errorf("from the address that is left: %v", err)
	}
}

func TestRoutesAndRulesAreTheCallers(t *testing.T) {
	lab := netlab.New(t)
	a, r, b := lab.Host("a"), lab.Router("r"), lab.Host("b")
	ar := lab.Link(a, r, netlab.LinkConfig{Name: "wan"})
	rb := lab.Link(r, b, netlab.LinkConfig{})
	b.Route(netlab.Route{Via: rb.Addr(netlab.SideA).String()})
	target := rb.Addr(netlab.SideB)
	route := netlab.Route{To: "10.77.1.0/24", Via: ar.Addr(netlab.SideB).String(), Dev: "wan", Table: 7}
	rule := netlab.Rule{To: "10.77.1.0/24", Table: 7, Priority: 50}
	a.Route(route)
	wantUnreachable(t, "no rule names the table", a, b, target, "", "")
	a.Rule(rule)
	if err := reach(t, a, b, target, "", ""); err != nil {
		t.Errorf("with rule and route: %v", err)
	}
	ar.Down(netlab.SideA)
	ar.Up(netlab.SideA)
	if err := reach(t, a, b, target, "", ""); err != nil {
		t.Errorf("after the interface was down: %v", err)
	}
	a.DelRoute(route)
	wantUnreachable(t, "route deleted", a, b, target, "", "")
	a.DelRule(rule)
}
