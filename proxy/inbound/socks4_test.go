package inbound

import (
	"net/netip"
	"strings"
	"testing"
)

var (
	ok4 = join(0, 90, 4711>>8, 4711&255, 198, 51, 100, 9)
	no4 = join(0, 91, 0, 0, 0, 0, 0, 0)
)

func TestSOCKS4(t *testing.T) {
	users := []User{{"me", "secret"}}
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	hosts := map[string]string{"192.0.2.1:80": echo(t), "example.com:80": echo(t), "0.0.0.0:80": ""}
	for name, c := range map[string]struct {
		options Options
		request []byte
		reply   []byte // empty: closed without one
		target  string
	}{
		"SOCKS4":                      {Options{}, join(4, 1, 0, 80, 192, 0, 2, 1, "me", 0), ok4, "192.0.2.1:80"},
		"SOCKS4 without a user":       {Options{}, join(4, 1, 0, 80, 192, 0, 2, 1, 0), ok4, "192.0.2.1:80"},
		"SOCKS4a":                     {Options{}, join(4, 1, 0, 80, 0, 0, 0, 1, 0, "example.com", 0), ok4, "example.com:80"},
		"0.0.0.0 is not a name":       {Options{}, join(4, 1, 0, 80, 0, 0, 0, 0, 0), ok4, "0.0.0.0:80"},
		"SOCKS4a, name is an address": {Options{}, join(4, 1, 0, 80, 0, 0, 0, 9, "u", 0, "192.0.2.1", 0), ok4, "192.0.2.1:80"},
		"target that fails":           {Options{}, join(4, 1, 0, 80, 0, 0, 0, 1, 0, "no.example", 0), no4, "no.example:80"},
		"BIND":                        {Options{}, join(4, 2, 0, 80, 192, 0, 2, 1, 0), no4, ""},
		"SOCKS4a, empty name":         {Options{}, join(4, 1, 0, 80, 0, 0, 0, 1, 0, 0), no4, ""},
		"SOCKS4a, bad name":           {Options{}, join(4, 1, 0, 80, 0, 0, 0, 1, 0, "a b", 0), no4, ""},
		"endless user":                {Options{}, join(4, 1, 0, 80, 192, 0, 2, 1, strings.Repeat("u", 300)), nil, ""},
		"endless name":                {Options{}, join(4, 1, 0, 80, 0, 0, 0, 1, 0, strings.Repeat("n", 300)), nil, ""},
		"users":                       {Options{Users: users}, join(4, 1, 0, 80, 192, 0, 2, 1, "me", 0), no4, ""},
		"users, SOCKS4a":              {Options{Users: users}, join(4, 1, 0, 80, 0, 0, 0, 1, "me", 0, "example.com", 0), no4, ""},
		"users, source in allow_from": {Options{Users: users, AllowFrom: loopback}, join(4, 1, 0, 80, 192, 0, 2, 1, 0), ok4, "192.0.2.1:80"},
	} {
		u := &tunnel{hosts: hosts}
		c.options.Opener = u
		addr, _ := start(t, c.options)
		a := connect(t, addr).send(c.request).want(name, c.reply)
		if c.reply == nil || c.reply[1] != 90 {
			a.wantClosed(name)
		}
		var opened []string
		for _, target := range u.targets() {
			opened = append(opened, target.String())
		}
		if got := strings.Join(opened, " "); got != c.target {
			t.Errorf("%s: opened %q; want %q", name, got, c.target)
		}
	}
}

func TestSOCKS4CarriesData(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:80": echo(t)}}
	addr, _ := start(t, Options{Opener: u})
	a := connect(t, addr).send(4, 1, 0, 80, 0, 0, 0, 1, 0, "example.com", 0, "early").want("reply", ok4).want("echo", "early")
	a.send("later").want("echo", "later")
	if err := a.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	a.wantClosed("half-close travels there and back")
}
