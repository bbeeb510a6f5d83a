package main

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hawser/test/netlab"
	"hawser/transport/packet"
)

const megabyte = 1 << 20

// everyRole runs f with rawcat as client and as server, over IPv4 and IPv6.
func everyRole(t *testing.T, f func(t *testing.T, catListens, v6 bool)) {
	t.Helper()
	for _, catListens := range []bool{false, true} {
		for _, v6 := range []bool{false, true} {
			name := map[bool]string{false: "client", true: "server"}[catListens] + map[bool]string{false: "/IPv4", true: "/IPv6"}[v6]
			t.Run(name, func(t *testing.T) { f(t, catListens, v6) })
		}
	}
}

// address is a side's.
func address(k *netlab.Link, s netlab.Side, v6 bool) netip.Addr {
	if v6 {
		return k.Addr6(s)
	}
	return k.Addr(s)
}

func TestTheKernelUnderstandsUs(t *testing.T) {
	for _, c := range []struct {
		name string
		link netlab.LinkConfig
		size int64
		args []string
		path string
	}{
		{"super-segments", netlab.LinkConfig{}, 16 * megabyte, nil, "gso"},
		{"frames", netlab.LinkConfig{}, 4 * megabyte, []string{"--gso=false"}, "frames"},
		{"emulated wire", netlab.LinkConfig{Emulate: true}, 4 * megabyte, nil, "gso"},
		{"lossy", netlab.LinkConfig{ARate: 100e6, BRate: 100e6, Delay: 2 * time.Millisecond, Loss: 0.005}, megabyte, nil, "gso"},
		{"reordering", netlab.LinkConfig{ARate: 100e6, BRate: 100e6, Delay: 2 * time.Millisecond, Reorder: 0.02}, megabyte, nil, "gso"},
		{"bbr", netlab.LinkConfig{ARate: 100e6, BRate: 100e6, Delay: 2 * time.Millisecond}, 2 * megabyte, []string{"--congestion", "bbr"}, "gso"},
	} {
		t.Run(c.name, func(t *testing.T) {
			everyRole(t, func(t *testing.T, catListens, v6 bool) {
				lab := netlab.New(t)
				a, b := lab.Host("a"), lab.Host("b")
				link := lab.Link(a, b, c.link)
				f := exchange{
					from: a, to: b, at: address(link, netlab.SideB, v6), catListens: catListens, args: c.args,
					up: stream{1, c.size}, down: stream{2, c.size / 2},
				}.run(t)
				if f.Path != c.path {
					t.Errorf("sent by %s, want %s", f.Path, c.path)
				}
				t.Logf("%+v", f)
			})
		})
	}
}

func TestCapNetRawIsEnough(t *testing.T) {
	everyRole(t, func(t *testing.T, catListens, v6 bool) {
		lab := netlab.New(t)
		a, b := lab.Host("a"), lab.Host("b")
		link := lab.Link(a, b, netlab.LinkConfig{})
		exchange{
			from: a, to: b, at: address(link, netlab.SideB, v6), catListens: catListens, unroot: true,
			up: stream{1, megabyte}, down: stream{2, megabyte},
		}.run(t)
	})
}

func TestThroughNATAndAStatefulFirewall(t *testing.T) {
	everyRole(t, func(t *testing.T, catListens, v6 bool) {
		netlab.NeedNFTables(t)
		lab := netlab.New(t)
		client, router, server := lab.Host("client"), lab.Router("router"), lab.Host("server")
		inside := lab.Link(client, router, netlab.LinkConfig{Name: "in", Uplink: true, Emulate: true})
		outside := lab.Link(server, router, netlab.LinkConfig{Name: "out", Uplink: true, Emulate: true})
		nat := router.Masquerade(outside, netlab.NATConfig{Strict: true})
		router.ForwardFirewall(inside, netlab.Firewall{Reject: true})
		exchange{
			from: client, to: server, at: address(outside, netlab.SideA, v6), catListens: catListens,
			up: stream{1, 2 * megabyte}, down: stream{2, megabyte},
		}.run(t)
		if nat.Entries() == 0 {
			t.Error("the router has translated nothing")
		}
	})
}

// A packet filter of the host itself does not see what packet sockets send. One that drops does no harm, because what
// arrives is read before it.
func TestBehindAStatefulFirewallOfTheHost(t *testing.T) {
	everyRole(t, func(t *testing.T, catListens, v6 bool) {
		netlab.NeedNFTables(t)
		lab := netlab.New(t)
		a, b := lab.Host("a"), lab.Host("b")
		link := lab.Link(a, b, netlab.LinkConfig{})
		a.Firewall(netlab.Firewall{})
		b.Firewall(netlab.Firewall{In: []uint16{listenPort}})
		exchange{
			from: a, to: b, at: address(link, netlab.SideB, v6), catListens: catListens,
			up: stream{1, megabyte}, down: stream{2, megabyte},
		}.run(t)
	})
}

// A packet filter of the host that rejects takes the answers to what it has not seen for forged, and resets the peer's
// end. That is found out, and the next connection shows everything to the filter.
func TestAFirewallThatCutsConnectionsIsFoundOut(t *testing.T) {
	netlab.NeedNFTables(t)
	lab := netlab.New(t)
	a, b := lab.Host("a"), lab.Host("b")
	link := lab.Link(a, b, netlab.LinkConfig{})
	a.Firewall(netlab.Firewall{Reject: true})
	to := netip.AddrPortFrom(link.Addr(netlab.SideB), listenPort)
	l, err := b.Listen("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := options{congestion: "cubic", gso: true}
	var s *stack
	if err := a.Do(func() (err error) {
		s, err = o.open(packet.PortConfig{Count: 4}, link.Interface(netlab.SideA))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	up := stream{1, 2 * megabyte}
	attempt := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c, err := s.endpoint.Dial(ctx, link.Addr(netlab.SideA), to)
		if err != nil {
			return err
		}
		kernel, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			_, _ = io.Copy(c, up.source())
			_ = c.CloseWrite()
		}()
		got := make(chan error, 1)
		go func() { got <- kernelTalk(kernel, stream{}, up, patience) }()
		_, err = io.Copy(io.Discard, c)
		<-c.Done() // our end learns of the cut by the answer to its next segment
		return errors.Join(err, c.Err(), <-got)
	}
	first := attempt()
	st := s.socket.Status().Interfaces[0]
	if first == nil {
		t.Fatal("the filter has not cut the connection: the test shows nothing")
	}
	if st.Mode != packet.ModeRawIP || st.Reason == "" {
		t.Errorf("after %v: %+v", first, st)
	}
	if err := attempt(); err != nil {
		t.Errorf("by raw IP: %v", err)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	lab := netlab.New(t)
	a, b := lab.Host("a"), lab.Host("b")
	link := lab.Link(a, b, netlab.LinkConfig{})
	to := netip.AddrPortFrom(link.Addr(netlab.SideB), listenPort).String()
	for _, c := range []struct {
		want string
		args []string
	}{
		{"nothing listens on that port", []string{"connect", "--to", to}},
		{"no interface has the address 192.0.2.9", []string{"connect", "--to", to, "--from", "192.0.2.9"}},
		{"give an address and a port", []string{"connect", "--to", "nowhere"}},
		{"choose one of", []string{"connect", "--to", to, "--congestion", "hope"}},
		{`required flag(s) "on" not set`, []string{"listen"}},
	} {
		cmd := a.Command(t.Context(), program(t), c.args...)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%v: %v, %q, want %q", c.args, err, out, c.want)
		}
	}
	none := startCat(t, catConfig{host: a, unroot: true, patience: patience, args: []string{"connect", "--to", to}})
	if _, err := none.wait(); err == nil || !strings.Contains(strings.Join(none.lines, " "), "nothing listens") {
		t.Errorf("as another user: %v, %q", err, none.lines)
	}
}
