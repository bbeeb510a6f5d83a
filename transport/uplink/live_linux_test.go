package uplink

import (
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

func TestInterfaceThatComesLater(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		l := startLive(t, Config{Name: "lte", Interface: "lte0"})
		l.want(t, "nothing there", "lte #1 [] waiting: interface lte0 does not exist")
		must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "lte0"}, PeerName: "far0"}))
		l.want(t, "added", "lte lte0#1 [] down: interface lte0 is switched off")
		up(t, "lte0")
		l.want(t, "switched on", "lte lte0#1 [] down: no carrier")
		up(t, "far0")
		l.want(t, "plugged in", "lte lte0#1 [] waiting: interface lte0 has no usable address")
		addAddress(t, "lte0", "192.0.2.7/24")
		l.want(t, "address", "lte lte0#1 [192.0.2.7] up")
		must(t, netlink.LinkDel(linkNamed(t, "lte0")))
		l.want(t, "removed", "lte #1 [] waiting: interface lte0 does not exist")
	})
}

func TestLinkDownAndUp(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		cable(t, "dsl0", "far0")
		addAddress(t, "dsl0", "192.0.2.7/24")
		addAddress(t, "dsl0", "2001:db8::7/64")
		l := startLive(t, Config{Name: "dsl", Interface: "dsl0"})
		const works = "dsl dsl0#1 [192.0.2.7 2001:db8::7] up"
		l.want(t, "start", works)
		down(t, "far0")
		l.want(t, "cable pulled", "dsl dsl0#1 [192.0.2.7 2001:db8::7] down: no carrier")
		up(t, "far0")
		l.want(t, "plugged in", works)
		down(t, "dsl0")
		l.want(t, "switched off", "dsl dsl0#1 [192.0.2.7] down: interface dsl0 is switched off")
		up(t, "dsl0") // IPv6 addresses are lost by that
		l.want(t, "switched on", "dsl dsl0#1 [192.0.2.7] up")
	})
}

func TestAddressChange(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		cable(t, "lte0", "far0")
		addAddress(t, "lte0", "192.0.2.7/24")
		l := startLive(t, Config{Name: "lte", Interface: "lte0"}, Config{Name: "fixed", Source: addr("198.51.100.9")})
		const nobody = "fixed #2 [] waiting: no interface has the address 198.51.100.9"
		l.want(t, "start", "lte lte0#1 [192.0.2.7] up", nobody)
		removeAddress(t, "lte0", "192.0.2.7/24")
		l.want(t, "address gone", "lte lte0#1 [] waiting: interface lte0 has no usable address", nobody)
		addAddress(t, "lte0", "203.0.113.4/24")
		l.want(t, "another address", "lte lte0#1 [203.0.113.4] up", nobody)
		addAddress(t, "lte0", "198.51.100.9/24")
		l.want(t, "source address", "lte lte0#1 [203.0.113.4 198.51.100.9] up", "fixed lte0#2 [198.51.100.9] up")

		t.Logf("# the source address moves to another device, and is followed")
		cable(t, "lte1", "far1")
		removeAddress(t, "lte0", "198.51.100.9/24")
		addAddress(t, "lte1", "198.51.100.9/24")
		l.want(t, "moved", "lte lte0#1 [203.0.113.4] up", "fixed lte1#2 [198.51.100.9] up")
	})
}

func TestDiscoveryFollowsRoutesAndRules(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		for _, c := range [][3]string{{"wan0", "far0", "192.0.2.7/24"}, {"wan1", "far1", "198.51.100.7/24"}} {
			cable(t, c[0], c[1])
			addAddress(t, c[0], c[2])
		}
		l := startLive(t)
		defaultVia(t, "wan0", "192.0.2.1", 0)
		l.want(t, "default route", "wan0 wan0#1 [192.0.2.7] up")
		defaultVia(t, "wan1", "198.51.100.1", 102)
		ruleFrom(t, "198.51.100.7/32", 102)
		l.want(t, "a table with a rule", "wan0 wan0#1 [192.0.2.7] up", "wan1 wan1#2 [198.51.100.7] up")

		t.Logf("# IPv4 routes that go with an interface are not announced")
		down(t, "wan1")
		l.want(t, "switched off", "wan0 wan0#1 [192.0.2.7] up", "wan1 wan1#2 [198.51.100.7] down: interface wan1 is switched off")
		up(t, "wan1")
		l.want(t, "on again, without its route", "wan0 wan0#1 [192.0.2.7] up", "wan1 wan1#2 [198.51.100.7] waiting: interface wan1 has no default route")
		defaultVia(t, "wan1", "198.51.100.1", 102)
		l.want(t, "routed again", "wan0 wan0#1 [192.0.2.7] up", "wan1 wan1#2 [198.51.100.7] up")

		t.Logf("# a renamed link is the same uplink")
		must(t, netlink.LinkSetDown(linkNamed(t, "wan1")))
		must(t, netlink.LinkSetName(linkNamed(t, "wan1"), "lte"))
		l.want(t, "renamed", "wan0 wan0#1 [192.0.2.7] up", "lte lte#2 [198.51.100.7] down: interface lte is switched off")

		t.Logf("# a link that goes and returns keeps its id")
		must(t, netlink.LinkDel(linkNamed(t, "wan0")))
		l.want(t, "unplugged", "lte lte#2 [198.51.100.7] down: interface lte is switched off")
		cable(t, "wan0", "far0")
		addAddress(t, "wan0", "192.0.2.8/24")
		defaultVia(t, "wan0", "192.0.2.1", 0)
		l.want(t, "plugged in", "wan0 wan0#1 [192.0.2.8] up", "lte lte#2 [198.51.100.7] down: interface lte is switched off")
	})
}

func TestTunnelsAndContainerBridgesAreDisabled(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		tun := &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: "vpn0"}, Mode: netlink.TUNTAP_MODE_TUN}
		must(t, netlink.LinkAdd(tun))
		must(t, netlink.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "docker0"}}))
		cable(t, "wan0", "far0")
		for name, cidr := range map[string]string{"vpn0": "10.8.0.2/24", "docker0": "172.17.0.1/16", "wan0": "192.0.2.7/24"} {
			up(t, name)
			addAddress(t, name, cidr)
		}
		defaultVia(t, "vpn0", "10.8.0.1", 0)
		defaultVia(t, "docker0", "172.17.0.2", 101)
		ruleFrom(t, "172.17.0.1/32", 101)
		defaultVia(t, "wan0", "192.0.2.1", 102)
		ruleFrom(t, "192.0.2.7/32", 102)
		l := startLive(t)
		l.until(t, "listed", func() bool { return len(l.Uplinks()) == 3 })
		want := map[string]string{"vpn0": "tunnel: name it to use it", "docker0": "container bridge: name it to use it", "wan0": ""}
		for _, u := range l.Uplinks() {
			if reason, ok := want[u.Name]; !ok || reason != u.Reason || (u.State == StateDisabled) != (reason != "") {
				t.Errorf("%s", row(u))
			}
		}
	})
}

func TestRouteCheckIsTheKernels(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		cable(t, "wan0", "far0")
		addAddress(t, "wan0", "192.0.2.7/24")
		addAddress(t, "wan0", "2001:db8::7/64")
		l := startLive(t, Config{Interface: "wan0"})
		l.until(t, "start", func() bool { return l.Uplinks()[0].Usable() })
		u := l.Uplinks()[0]
		v4, v6 := addr("192.0.2.7"), addr("2001:db8::7")
		for _, c := range []struct {
			local, remote string
			want          bool
		}{
			{"192.0.2.7", "192.0.2.1", true}, {"2001:db8::7", "2001:db8::1", true},
			{"192.0.2.7", "198.51.100.1", false}, {"2001:db8::7", "2001:db8:9::1", false},
		} {
			if err := l.Route(u, addr(c.local), addr(c.remote)); (err == nil) != c.want {
				t.Errorf("from %s to %s: %v", c.local, c.remote, err)
			}
		}
		t.Logf("# a new route in a table for this source is announced, although no uplink changes")
		defaultVia(t, "wan0", "192.0.2.1", 102)
		ruleFrom(t, "192.0.2.7/32", 102)
		l.until(t, "IPv4 route", func() bool { return l.Route(u, v4, addr("198.51.100.1")) == nil })
		defaultVia(t, "wan0", "2001:db8::1", 0)
		l.until(t, "IPv6 route", func() bool { return l.Route(u, v6, addr("2001:db8:9::1")) == nil })
	})
}

func TestOverrunMeansReadingAll(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		cable(t, "wan0", "far0")
		sub, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK)
		must(t, err)
		must(t, sub.SetReceiveBufferSize(2048, false))
		for range 50 {
			down(t, "wan0")
			up(t, "wan0")
		}
		in := &inbox{ready: make(chan struct{}, 1)}
		done := make(chan struct{})
		go func() {
			in.read(sub)
			close(done)
		}()
		var got events
		for got&eventOther == 0 { // link messages alone do not have this bit
			<-in.ready
			got |= in.take()
		}
		sub.Close()
		<-done
		if got = in.take(); got&eventFailed == 0 || in.err == nil {
			t.Errorf("a closed socket yields events %b, error %v", got, in.err)
		}
	})
}
