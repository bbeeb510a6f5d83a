package inbound

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"hawser/proxy/relay"
	"hawser/proxy/relay/relaytest"
)

var (
	ok5      = join(5, 0, 0, 1, 198, 51, 100, 9, 4711>>8, 4711&255)
	greeting = join(5, 1, 0)
)

func refused5(code int) []byte { return join(5, code, 0, 1, 0, 0, 0, 0, 0, 0) }

func TestSOCKS5Connect(t *testing.T) {
	target := echo(t)
	long := strings.Repeat("a", 251) + ".com"
	for name, c := range map[string]struct {
		address []byte
		target  string
	}{
		"IPv4":                    {join(1, 192, 0, 2, 1), "192.0.2.1:80"},
		"IPv6":                    {join(4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), "[2001:db8::1]:80"},
		"mapped":                  {join(4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1), "192.0.2.1:80"},
		"name":                    {join(3, 11, "example.com"), "example.com:80"},
		"longest name":            {join(3, 255, long), long + ":80"},
		"name that is an address": {join(3, 9, "192.0.2.1"), "192.0.2.1:80"},
	} {
		u := &tunnel{hosts: map[string]string{c.target: target}}
		addr, _ := start(t, Options{Opener: u})
		a := connect(t, addr).send(greeting).want("method", 5, 0)
		a.send(5, 1, 0, c.address, 0, 80).want(name, ok5)
		a.send("hello").want("echo", "hello")
		if err := a.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		a.wantClosed("half-close travels there and back")
		if got := u.targets(); len(got) != 1 || (got[0].Name != "") != strings.Contains(got[0].Name, ".com") {
			t.Errorf("%s: opened %+v; want names unresolved and addresses as addresses", name, got)
		}
	}
}

func TestSOCKS5EverythingInOneSegment(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:80": echo(t)}}
	addr, _ := start(t, Options{Opener: u})
	payload := strings.Repeat("early ", 500) // longer than the handshake's buffer
	connect(t, addr).send(greeting, 5, 1, 0, 3, 11, "example.com", 0, 80, payload).
		want("method", 5, 0).want("reply", ok5).want("echo of early data", payload)
}

func TestSOCKS5ByteByByte(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:80": echo(t)}}
	addr, _ := start(t, Options{Opener: u})
	a := connect(t, addr)
	for _, b := range join(greeting, 5, 1, 0, 3, 11, "example.com", 0, 80, "x") {
		a.send(int(b))
	}
	a.want("method", 5, 0).want("reply", ok5).want("echo", "x")
}

func TestSOCKS5ReplyCodes(t *testing.T) {
	for code := 1; code <= 9; code++ {
		u := &tunnel{fail: fmt.Errorf("tunnel: %w", failure{code: byte(code), text: "why"})}
		addr, _ := start(t, Options{Opener: u})
		connect(t, addr).send(greeting).want("method", 5, 0).
			send(5, 1, 0, 1, 8, 8, 8, 8, 0, 80).want("code of the server", refused5(code)).wantClosed("after a refusal")
	}
	for name, c := range map[string]struct {
		err  error
		code int
	}{
		"no uplink":                 {fmt.Errorf("tunnel: %w", noUplink{errors.New("none")}), 3},
		"no uplink, with a code":    {noUplink{failure{code: 5}}, 3},
		"anything else":             {errors.New("session ended"), 1},
		"success is no failure":     {failure{code: 0, text: "odd"}, 1},
		"network error of this end": {syscall.ECONNREFUSED, 1},
	} {
		addr, _ := start(t, Options{Opener: &tunnel{fail: c.err}})
		connect(t, addr).send(greeting).want("method", 5, 0).
			send(5, 1, 0, 1, 8, 8, 8, 8, 0, 80).want(name, refused5(c.code)).wantClosed(name)
	}
}

func TestSOCKS5BadRequests(t *testing.T) {
	u := &tunnel{}
	addr, _ := start(t, Options{Opener: u})
	for name, c := range map[string]struct{ request, reply []byte }{
		"BIND":                    {join(5, 2, 0, 1, 8, 8, 8, 8, 0, 80), refused5(7)},
		"UDP ASSOCIATE":           {join(5, 3, 0, 1, 0, 0, 0, 0, 0, 0), refused5(7)},
		"unknown command":         {join(5, 9, 0, 3, 1, "x", 0, 80), refused5(7)},
		"unknown address type":    {join(5, 1, 0, 2, 8, 8, 8, 8, 0, 80), refused5(8)},
		"empty name":              {join(5, 1, 0, 3, 0, 0, 80), refused5(1)},
		"name with a zero":        {join(5, 1, 0, 3, 3, "a", 0, "b", 0, 80), refused5(1)},
		"name with a line break":  {join(5, 1, 0, 3, 3, "a\nb", 0, 80), refused5(1)},
		"address of an interface": {join(5, 1, 0, 3, 11, "fe80::1%eth", 0, 80), refused5(1)},
		"another version":         {join(4, 1, 0, 1, 8, 8, 8, 8, 0, 80), nil},
	} {
		a := connect(t, addr).send(greeting).want("method", 5, 0).send(c.request)
		a.want(name, c.reply).wantClosed(name)
	}
	if got := u.targets(); len(got) != 0 {
		t.Errorf("opened %v; want nothing", got)
	}
}

func TestSOCKS5Methods(t *testing.T) {
	users := []User{{"me", "secret"}, {"you", "other"}}
	right := join(1, 2, "me", 6, "secret")
	everywhere := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	elsewhere := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	for name, c := range map[string]struct {
		options            Options
		methods            []byte
		chosen             int
		credentials, reply []byte
	}{
		"no users":                           {Options{}, join(0), 0, nil, nil},
		"no users, both offered":             {Options{}, join(2, 0), 0, nil, nil},
		"no users, client insists":           {Options{}, join(2), 2, right, join(1, 0)},
		"nothing acceptable":                 {Options{}, join(1, 3), 255, nil, nil},
		"no methods":                         {Options{}, nil, 255, nil, nil},
		"users, none offered":                {Options{Users: users}, join(0), 255, nil, nil},
		"users, right password":              {Options{Users: users}, join(0, 2), 2, right, join(1, 0)},
		"users, second user":                 {Options{Users: users}, join(2), 2, join(1, 3, "you", 5, "other"), join(1, 0)},
		"users, another's password":          {Options{Users: users}, join(2), 2, join(1, 2, "me", 5, "other"), join(1, 1)},
		"users, wrong password":              {Options{Users: users}, join(2), 2, join(1, 2, "me", 6, "Secret"), join(1, 1)},
		"users, empty":                       {Options{Users: users}, join(2), 2, join(1, 0, 0), join(1, 1)},
		"users, source in allow_from":        {Options{Users: users, AllowFrom: everywhere}, join(0, 2), 0, nil, nil},
		"users, source not in allow_from":    {Options{Users: users, AllowFrom: elsewhere}, join(0), 255, nil, nil},
		"allow_from leaves loopback its way": {Options{AllowFrom: elsewhere}, join(0), 0, nil, nil},
	} {
		u := &tunnel{hosts: map[string]string{"example.com:80": ""}}
		c.options.Opener = u
		addr, _ := start(t, c.options)
		a := connect(t, addr).send(5, len(c.methods), c.methods).want(name, 5, c.chosen)
		if c.chosen == 2 {
			a.send(c.credentials).want(name, c.reply)
		}
		if c.chosen == 255 || (c.reply != nil && c.reply[1] != 0) {
			a.wantClosed(name)
			if got := u.targets(); len(got) != 0 {
				t.Errorf("%s: opened %v; want nothing", name, got)
			}
			continue
		}
		a.send(5, 1, 0, 3, 11, "example.com", 0, 80).want(name, ok5)
	}
}

// A client may pipeline its request behind a wrong password: the answer must arrive all the same.
func TestSOCKS5RefusalSurvivesPipelinedBytes(t *testing.T) {
	addr, _ := start(t, Options{Opener: &tunnel{}, Users: []User{{"me", "secret"}}})
	connect(t, addr).send(5, 1, 2, 1, 2, "me", 5, "wrong", 5, 1, 0, 3, 11, "example.com", 0, 80, strings.Repeat("x", 4000)).
		want("method", 5, 2).want("status", 1, 1).wantClosed("after a wrong password")
}

func TestSOCKS5ResetBothWays(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:80": ""}}
	addr, _ := start(t, Options{Opener: u})
	request := join(greeting, 5, 1, 0, 3, 11, "example.com", 0, 80)

	a := connect(t, addr).send(request).want("reply", 5, 0, ok5)
	u.last(t).Reset()
	if _, err := io.ReadAll(a.r); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("application reads %v; want a reset", err)
	}

	a = connect(t, addr).send(request).want("reply", 5, 0, ok5)
	relay.Abort(a.TCPConn)
	if _, err := u.last(t).Read(make([]byte, 1)); !errors.Is(err, relaytest.ErrReset) {
		t.Errorf("far end reads %v; want a reset", err)
	}
}

func TestSOCKS5Reply(t *testing.T) {
	for name, c := range map[string]struct {
		bound string
		want  []byte
	}{
		"unknown": {"", join(5, 0, 0, 1, 0, 0, 0, 0, 0, 0)},
		"IPv4":    {"192.0.2.1:258", join(5, 0, 0, 1, 192, 0, 2, 1, 1, 2)},
		"mapped":  {"[::ffff:192.0.2.1]:258", join(5, 0, 0, 1, 192, 0, 2, 1, 1, 2)},
		"IPv6":    {"[2001:db8::1]:258", join(5, 0, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2)},
	} {
		ap, _ := netip.ParseAddrPort(c.bound) // the empty one is the zero value
		if got := (words5{}).granted(ap); string(got) != string(c.want) {
			t.Errorf("%s: %v; want %v", name, got, c.want)
		}
	}
}
