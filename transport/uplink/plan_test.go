package uplink

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// machine is a snapshot with two working uplinks, a tunnel, and a container bridge that even has a default route.
func machine() snapshot {
	return snapshot{
		links: []link{
			{index: 1, name: "lo", kind: kindLoopback, up: true, carrier: true, addrs: ips("127.0.0.1", "192.0.2.200")},
			{index: 2, name: "eth0", alts: []string{"enp1s0"}, up: true, carrier: true, addrs: ips("192.0.2.7", "2001:db8::7", "fe80::7")},
			{index: 3, name: "wwan0", up: true, carrier: true, addrs: ips("10.64.0.9")},
			{index: 4, name: "wg0", kind: kindTunnel, up: true, carrier: true, addrs: ips("10.8.0.2")},
			{index: 5, name: "docker0", kind: kindContainer, up: true, carrier: true, addrs: ips("172.17.0.1")},
			{index: 6, name: "lan0", up: true, carrier: true, addrs: ips("192.168.1.1")},
		},
		defaults: []defaultRoute{{index: 2, table: 254}, {index: 3, table: 102}, {index: 4, table: 254}, {index: 5, table: 254}},
		rules:    []rule{{table: 255}, {table: 254}, {table: 102}, {table: 254, v6: true}},
	}
}

func ips(ss ...string) []address {
	var as []address
	for _, s := range ss {
		as = append(as, address{ip: netip.MustParseAddr(s)})
	}
	return as
}

// row gives an uplink as the tests compare it: "name interface addresses state: reason".
func row(u Uplink) string {
	return strings.TrimSuffix(fmt.Sprintf("%s %s#%d %v %s: %s", u.Name, u.Interface, u.Index, append(u.V4[:len(u.V4):len(u.V4)], u.V6...), u.State, u.Reason), ": ")
}

func wantRows(t *testing.T, us []Uplink, want ...string) {
	t.Helper()
	var got []string
	for _, u := range us {
		got = append(got, row(u))
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("uplinks:\n%s\nwant:\n%s", g, w)
	}
}

const (
	eth0   = "eth0 eth0#2 [192.0.2.7 2001:db8::7] up"
	wwan0  = "wwan0 wwan0#3 [10.64.0.9] up"
	wg0    = "wg0 wg0#4 [10.8.0.2] disabled: tunnel: name it to use it"
	docker = "docker0 docker0#5 [172.17.0.1] disabled: container bridge: name it to use it"
)

func TestDiscoveryTakesWhatHasADefaultRoute(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*snapshot)
		known  []string
		want   []string
	}{
		{name: "any table that a rule uses", want: []string{eth0, wwan0, wg0, docker}},
		{
			name:   "a table that no rule uses",
			change: func(s *snapshot) { s.rules = s.rules[:2] },
			want:   []string{eth0, wg0, docker},
		},
		{
			name:   "a rule of the other family does not count",
			change: func(s *snapshot) { s.rules[2].v6 = true },
			want:   []string{eth0, wg0, docker},
		},
		{
			name:   "rules are not known: every table counts",
			change: func(s *snapshot) { s.rules = nil; s.defaults[1].table = 77 },
			want:   []string{eth0, wwan0, wg0, docker},
		},
		{
			name:   "IPv6 alone is enough",
			change: func(s *snapshot) { s.defaults = []defaultRoute{{index: 2, table: 254, v6: true}} },
			want:   []string{eth0},
		},
		{
			name:   "a tunnel without an address is no news",
			change: func(s *snapshot) { s.links[3].addrs = ips("fe80::1") },
			want:   []string{eth0, wwan0, docker},
		},
		{
			name:   "no carrier",
			change: func(s *snapshot) { s.links[1].carrier = false },
			want:   []string{"eth0 eth0#2 [192.0.2.7 2001:db8::7] down: no carrier", wwan0, wg0, docker},
		},
		{
			name:   "a link found before stays, with the reason",
			change: func(s *snapshot) { s.defaults = s.defaults[:1]; s.links[2].up = false },
			known:  []string{"wwan0", "eth0", "lan0"},
			want: []string{
				"wwan0 wwan0#3 [10.64.0.9] down: interface wwan0 is switched off", eth0,
				"lan0 lan0#6 [192.168.1.1] waiting: interface lan0 has no default route",
			},
		},
		{
			name:   "a link found before that is gone is not listed",
			change: func(s *snapshot) { s.defaults = s.defaults[:1] },
			known:  []string{"usb0", "eth0"},
			want:   []string{eth0},
		},
		{
			name: "an address still being checked, or link-local, is none",
			change: func(s *snapshot) {
				s.defaults = s.defaults[:1]
				s.links[1].addrs = tentative(ips("2001:db8::7", "fe80::7"))
			},
			want: []string{"eth0 eth0#2 [] waiting: interface eth0 has no usable address"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := machine()
			if c.change != nil {
				c.change(&s)
			}
			wantRows(t, plan(s, nil, c.known), c.want...)
		})
	}
}

func tentative(as []address) []address {
	as[0].tentative = true
	return as
}

func TestConfiguredUplinksAreFoundByNameOrSource(t *testing.T) {
	source := func(s string) netip.Addr { return netip.MustParseAddr(s) }
	for _, c := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"interface", Config{Name: "dsl", Interface: "eth0"}, "dsl eth0#2 [192.0.2.7 2001:db8::7] up"},
		{"alternative name", Config{Name: "dsl", Interface: "enp1s0"}, "dsl eth0#2 [192.0.2.7 2001:db8::7] up"},
		{"no default route is needed", Config{Interface: "lan0"}, "lan0 lan0#6 [192.168.1.1] up"},
		{"a tunnel, because it is named", Config{Interface: "wg0"}, "wg0 wg0#4 [10.8.0.2] up"},
		{"not there yet", Config{Interface: "lte0"}, "lte0 #0 [] waiting: interface lte0 does not exist"},
		{"source", Config{Name: "lte", Source: source("10.64.0.9")}, "lte wwan0#3 [10.64.0.9] up"},
		{"source takes one address alone", Config{Source: source("2001:db8::7")}, "2001:db8::7 eth0#2 [2001:db8::7] up"},
		{"mapped source", Config{Name: "m", Source: source("::ffff:192.0.2.7")}, "m eth0#2 [192.0.2.7] up"},
		{"source on loopback binds no device", Config{Name: "s", Source: source("192.0.2.200")}, "s #0 [192.0.2.200] up"},
		{"source nobody has", Config{Name: "s", Source: source("203.0.113.1")}, "s #0 [] waiting: no interface has the address 203.0.113.1"},
		{"source on another interface", Config{Interface: "eth0", Source: source("10.64.0.9")}, "eth0 eth0#2 [] waiting: interface eth0 does not have the address 10.64.0.9"},
		{"nothing", Config{Name: "x"}, "x #0 [] disabled: neither interface nor source is configured: set one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantRows(t, plan(machine(), []Config{c.cfg}, nil), c.want)
		})
	}
}

func TestConfigurationKeepsItsOrderAndFlags(t *testing.T) {
	us := plan(machine(), []Config{
		{Name: "b", Interface: "wwan0", Backup: true, Carrier: "plain"},
		{Name: "a", Interface: "eth0"},
		{Name: "b", Interface: "lan0"},
	}, nil)
	wantRows(t, us, "b wwan0#3 [10.64.0.9] up", "a eth0#2 [192.0.2.7 2001:db8::7] up",
		"b #0 [] disabled: the name b is used twice: rename one of them")
	if !us[0].Backup || us[0].Carrier != "plain" || us[1].Backup || us[1].Carrier != "" {
		t.Errorf("flags are not those of the configuration: %+v", us)
	}
}
