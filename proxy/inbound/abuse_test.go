package inbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"hawser/proxy/relay/relaytest"
)

// workingTunnel opens a tunnel by CONNECT and asserts that it carries data.
func workingTunnel(t *testing.T, addr string) *app {
	t.Helper()
	a := connect(t, addr).send("CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
	if res := a.response("CONNECT"); res.StatusCode != 200 {
		t.Fatalf("CONNECT: %s", res.Status)
	}
	return a.send("ping").want("echo", "ping")
}

func TestGarbageIsClosedAndHarmsNobody(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:443": echo(t)}}
	addr, s := start(t, Options{Opener: u})
	a := workingTunnel(t, addr)
	for name, garbage := range map[string][]byte{
		"TLS":               join(0x16, 3, 1, 2, 0, 1, strings.Repeat("x", 600)),
		"zeros":             make([]byte, 2000),
		"SSH-like digit":    join("1234"),
		"SOCKS of 1999":     join(6, 1, 0),
		"high bytes":        join(255, 255, 255),
		"line break":        join("\r\n\r\n"),
		"SOCKS5, then junk": join(5, 1, 0, strings.Repeat("\xff", 100)),
	} {
		b := connect(t, addr)
		_, _ = b.Write(garbage)
		if name == "SOCKS5, then junk" {
			b.want("method", 5, 0)
			b.want("unknown address type", refused5(8))
		}
		b.wantClosed(name)
	}
	if got := connect(t, addr).send("GARBAGE garbage garbage\r\n\r\n").wantStatus("HTTP garbage", "GET", 400); got == "" {
		t.Error("HTTP garbage: no text")
	}
	a.send("pong").want("echo", "pong")
	wantClients(t, s, 1)
}

// wantClients waits until at most n clients are left.
func wantClients(t *testing.T, s *Server, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		s.gate.mu.Lock()
		left := len(s.gate.clients)
		s.gate.mu.Unlock()
		if left <= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d clients are left; want at most %d", left, n)
		}
		runtime.Gosched()
	}
}

func TestSlowRequestsAreCut(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:443": echo(t)}}
	addr, s := start(t, Options{Opener: u, HandshakeTimeout: 100 * time.Millisecond, IdleTimeout: 100 * time.Millisecond})
	a := workingTunnel(t, addr)
	for name, begin := range map[string][]byte{
		"nothing":                nil,
		"half a SOCKS5 greeting": join(5, 2, 0),
		"half a SOCKS5 request":  join(greeting, 5, 1, 0, 3, 200, "exam"),
		"half a SOCKS4 request":  join(4, 1, 0, 80, 8, 8, 8, 8, "me"),
		"half a request line":    join("GET http://exam"),
		"half a header":          join("GET http://example.com/ HTTP/1.1\r\nHost: "),
	} {
		b := connect(t, addr).send(begin)
		if strings.Contains(name, "5 request") {
			b.want("method", 5, 0)
		}
		rest, err := io.ReadAll(b.r)
		if isTimeout(err) || strings.Contains(string(rest), " 200 ") {
			t.Errorf("%s: %q, %v; want the end", name, rest, err)
		}
	}
	t.Log("# idle between two HTTP requests")
	b := connect(t, addr).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	b.wantStatus("origin-form", "GET", 400)
	b.wantClosed("idle HTTP connection")
	t.Log("# a tunnel has no such limits")
	a.send("pong").want("echo", "pong")
	wantClients(t, s, 1)
}

// A stranger who is refused may send his request's body as slowly as he likes: it must not hold his place.
func TestRefusedBodyIsNotWaitedFor(t *testing.T) {
	addr, s := start(t, Options{Opener: &tunnel{}, Users: []User{{"me", "secret"}}})
	a := connect(t, addr).send("POST http://example.com/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nslowly")
	a.wantStatus("no password", "POST", 407)
	wantClients(t, s, 0)
}

func TestStrangersAreBounded(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:443": echo(t)}}
	addr, s := start(t, Options{Opener: u, Users: []User{{"me", "secret"}}, MaxStrangers: 5, MaxStrangersPerSource: 3})
	login := join(5, 1, 2, 1, 2, "me", 6, "secret", 5, 1, 0, 3, 11, "example.com", 443>>8, 443&255)
	strangers := []*app{}
	for range 3 {
		strangers = append(strangers, connect(t, addr).send(5, 1, 2).want("method", 5, 2))
	}
	wantNoEntry(t, addr)

	t.Log("# who has shown the password makes room")
	first := strangers[0].send(1, 2, "me", 6, "secret").want("status", 1, 0)
	tunnels := []*app{first}
	for range 4 {
		tunnels = append(tunnels, connect(t, addr).send(login).want("in", 5, 2, 1, 0, ok5))
	}
	for _, a := range tunnels[1:] {
		a.send("ping").want("echo", "ping")
	}
	t.Log("# who has gone makes room")
	strangers[1].Close()
	wantClients(t, s, 6)
	connect(t, addr).send(5, 1, 2).want("method", 5, 2)
}

// wantNoEntry connects in vain. The reset may come so soon that it fails the connect itself.
func wantNoEntry(t *testing.T, addr string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("one too many: %v; want to be closed", err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:443": echo(t)}}
	addr, s := start(t, Options{Opener: u, MaxConns: 2})
	a, b := workingTunnel(t, addr), workingTunnel(t, addr)
	wantNoEntry(t, addr)
	a.send("still").want("echo", "still")
	b.Close()
	wantClients(t, s, 1)
	workingTunnel(t, addr)
}

func TestGateCountsSources(t *testing.T) {
	g := newGate(Options{MaxConns: 100, MaxStrangers: 4, MaxStrangersPerSource: 2}.withDefaults())
	admit := func(source string) (*client, error) {
		c := &client{gate: g, source: netip.MustParseAddr(source), stranger: true}
		return c, g.admit(c)
	}
	var in []*client
	for _, c := range []struct {
		source string
		err    error
	}{
		{"192.0.2.1", nil}, {"192.0.2.1", nil}, {"192.0.2.1", errStrangers},
		{"2001:db8::1", nil}, {"2001:db8::2", nil}, {"2001:db8::3", errStrangers}, // one /64 is one source
		{"2001:db8:1::1", errStrangers}, // four in all
	} {
		k, err := admit(c.source)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v; want %v", c.source, err, c.err)
		}
		if err == nil {
			in = append(in, k)
		}
	}
	for _, k := range in {
		g.trust(k)
		g.leave(k)
		g.leave(k)
	}
	if g.strangers != 0 || len(g.perSource) != 0 || len(g.clients) != 0 {
		t.Errorf("%d strangers, sources %v, %d clients; want none", g.strangers, g.perSource, len(g.clients))
	}
	if len(g.close()) != 0 {
		t.Error("clients are left")
	}
	if _, err := admit("192.0.2.1"); !errors.Is(err, errFull) {
		t.Errorf("after close: %v; want %v", err, errFull)
	}
}

func TestShutdownLetsTunnelsFinish(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:443": echo(t)}}
	addr, s := start(t, Options{Opener: u})
	a := workingTunnel(t, addr)
	waiting := connect(t, addr).send(5, 2)
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(t.Context()) }()
	waiting.wantClosed("a connection without a request")
	for {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break // the door is closed
		}
		c.Close()
	}
	a.send("pong").want("echo", "pong")
	select {
	case err := <-ended:
		t.Fatalf("Shutdown: %v while a tunnel is open", err)
	default:
	}
	if err := a.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	a.wantClosed("in order")
	if err := <-ended; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestShutdownResetsWhatDoesNotFinish(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:443": "", "example.com:80": ""}, next: make(chan *relaytest.Stream, 9)}
	addr, s := start(t, Options{Opener: u})
	a := connect(t, addr).send("CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
	a.response("CONNECT")
	far := <-u.next
	b := connect(t, addr).send("GET http://example.com/ HTTP/1.1\r\nHost: x\r\n\r\n") // never answered
	<-u.next
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v; want canceled", err)
	}
	wantReset(t, a)
	wantReset(t, b)
	if !far.WasReset() {
		t.Error("the stream was not reset")
	}
	wantClients(t, s, 0)
}

func wantReset(t *testing.T, a *app) {
	t.Helper()
	if b, err := io.ReadAll(a.r); err == nil || isTimeout(err) {
		t.Errorf("read %q, %v; want a reset", b, err)
	}
}

func TestAccessRules(t *testing.T) {
	lan := []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24"), netip.MustParsePrefix("fd00::/8")}
	users := []User{{"me", "secret"}}
	for name, c := range map[string]struct {
		users  []User
		allow  []netip.Prefix
		source string
		want   verdict
	}{
		"nothing set, this machine":            {nil, nil, "127.0.0.1", open},
		"nothing set, this machine by IPv6":    {nil, nil, "::1", open},
		"nothing set, another":                 {nil, nil, "192.168.1.5", refused},
		"allow_from, listed":                   {nil, lan, "192.168.1.5", open},
		"allow_from, listed, mapped":           {nil, lan, "::ffff:192.168.1.5", open},
		"allow_from, listed, IPv6 with a zone": {nil, lan, "fd00::5%eth0", open},
		"allow_from, not listed":               {nil, lan, "192.168.2.5", refused},
		"allow_from, this machine":             {nil, lan, "127.0.0.1", open},
		"users, another":                       {users, nil, "192.168.1.5", password},
		"users, this machine":                  {users, nil, "127.0.0.1", password},
		"users and allow_from, listed":         {users, lan, "192.168.1.5", open},
		"users and allow_from, not listed":     {users, lan, "192.168.2.5", password},
	} {
		a, err := newAccess(c.users, c.allow)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.judge(netip.MustParseAddr(c.source)); got != c.want {
			t.Errorf("%s: verdict %d; want %d", name, got, c.want)
		}
	}
}

func TestListenersOutsideLoopbackNeedARule(t *testing.T) {
	lan := []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24")}
	for addr, open := range map[string]bool{
		"127.0.0.1:1080": true, "[::1]:1080": true, "0.0.0.0:1080": false, "[::]:1080": false, "192.168.1.1:1080": false,
	} {
		none, _ := newAccess(nil, nil) // valid
		some, _ := newAccess(nil, lan)
		if err := none.checkListen(addr); (err == nil) != open || err != nil && !strings.Contains(err.Error(), "allow_from") {
			t.Errorf("%s without a rule: %v; want open %v", addr, err, open)
		}
		if err := some.checkListen(addr); err != nil {
			t.Errorf("%s with a rule: %v", addr, err)
		}
	}
	s, err := New(Options{Opener: &tunnel{}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := Listen(t.Context(), ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := s.Serve(l); err == nil {
		t.Error("a listener on all addresses was served without a rule")
	}
}

func TestBadUsersAreRefused(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, u := range []User{{"", "x"}, {"a:b", "x"}, {long, "x"}, {"me", ""}, {"me", long}} {
		if _, err := New(Options{Opener: &tunnel{}, Users: []User{u}}); err == nil || strings.Contains(err.Error(), long) {
			t.Errorf("%.20q: %v; want a short error", u, err)
		}
	}
}
