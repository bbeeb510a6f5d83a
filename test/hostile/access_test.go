package hostile

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hawser/configs"
	"hawser/test/program"
)

// wantRefused wants a client's proxy to refuse new streams without delay, by a code that says "network unreachable" or
// "general failure", by HTTP with the reason, and its health check to fail.
func wantRefused(t *testing.T, p *program.Process, echo netip.AddrPort, reason string) {
	t.Helper()
	start := time.Now()
	_, code := socks(t, p.ProxyAddr(), echo.Addr().String(), echo.Port(), "")
	if code != generalFailure && code != netUnreachable {
		t.Errorf("SOCKS reply %d, want 1 or 3", code)
	}
	if took := time.Since(start); took > 9*time.Second {
		t.Errorf("the refusal took %v", took)
	}
	status, body := httpVia(t, p.ProxyAddr(), "http://"+echo.String()+"/")
	if status != http.StatusBadGateway && status != http.StatusServiceUnavailable || !strings.Contains(body, reason) {
		t.Errorf("HTTP %d %q, want 502 or 503 with %q", status, body, reason)
	}
	if status, body := p.Get("/healthz"); status != http.StatusServiceUnavailable || !strings.Contains(string(body), reason) {
		t.Errorf("health %d %q, want 503 with %q", status, body, reason)
	}
	if !p.Running() {
		t.Error("the client has ended")
	}
}

func TestWrongServerKey(t *testing.T) {
	w := newWorld(t)
	running := w.transfer(t)
	w.site.Join("stray")
	other := configs.NewPrivateKey().Public().String()
	stray := w.site.StartClient("stray", w.plain, program.Options{Env: []string{"HAWSER_SERVER_PUBLIC_KEY=" + other}})
	stray.Await("the server's public key is ", "but server.public_key is "+other, "join again with a new invite")
	w.server.Await("handshake failed")
	wantRefused(t, stray, w.echo, "public key")
	if status := stray.Stop(); status != 0 {
		t.Errorf("exit status %d after SIGTERM, want 0", status)
	}
	running.finish(t)
	wantAlive(t, w)
}

func TestRevokedClient(t *testing.T) {
	site, echo := program.NewSite(t, "127.0.0.1"), newEcho(t)
	site.Join("home")
	site.Join("away")
	server := site.StartServer(program.Options{})
	w := &world{site: site, server: server, plain: server.PlainAddr(), echo: echo}
	w.client = site.StartClient("home", w.plain, program.Options{})
	away := site.StartClient("away", w.plain, program.Options{})
	w.proxy = w.client.ProxyAddr()
	w.client.AwaitHealthy()
	away.AwaitHealthy()
	running := w.transfer(t)

	t.Log("# a client that runs")
	conn := mustConnect(t, away.ProxyAddr(), echo)
	say(t, conn, []byte("hello"))
	hear(t, conn, 5)
	site.Revoke("away")
	start := time.Now()
	_ = conn.SetReadDeadline(start.Add(program.Patience))
	if _, err := conn.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("the stream of a revoked client ends with %v, want a reset: it was not the target that closed", err)
	}
	if took := time.Since(start); took > 6*time.Second { // 1 s to notice, 2 s to end, and a busy machine
		t.Errorf("sessions ended %v after the revocation", took)
	}
	server.Await("session ended: client revoked", "away")
	away.Await("key not listed or revoked", "join again with a new invite")
	wantRefused(t, away, echo, "key not listed or revoked")

	t.Log("# a client that starts")
	away.Kill()
	again := site.StartClient("away", w.plain, program.Options{})
	again.Await("key not listed or revoked", "join again with a new invite")
	server.Await("client turned away", "key not listed or revoked")
	wantRefused(t, again, echo, "key not listed or revoked")

	running.moves(t)
	running.finish(t)
	wantAlive(t, w)
}

func TestProxyPassword(t *testing.T) {
	w := newWorld(t)
	running := w.transfer(t)
	closed := w.site.StartClient("home", w.plain, program.Options{Env: []string{"HAWSER_USERS=[{name: me, password: secret}]"}})
	proxy := closed.ProxyAddr()
	closed.AwaitHealthy()
	target := w.echo
	for user, want := range map[string]byte{"": 0xff, "me:wrong": 0xfe, "you:secret": 0xfe, "me:": 0xfe, "me:secret": succeeded} {
		conn, code := socks(t, proxy, target.Addr().String(), target.Port(), user)
		if code != want {
			t.Errorf("SOCKS5 as %q: %#x, want %#x", user, code, want)
		}
		_ = conn.Close()
	}
	old := dial(t, proxy)
	say(t, old, binary.BigEndian.AppendUint16([]byte{4, 1}, target.Port()))
	say(t, old, append(target.Addr().AsSlice(), "me\x00"...))
	if answer := hear(t, old, 8); answer[1] == 90 {
		t.Error("SOCKS4 gets in without a password")
	}
	for authorization, want := range map[string]string{
		"": "407", "Basic bWU6d3Jvbmc=": "407", "Basic nonsense": "407", "Basic bWU6c2VjcmV0": "200",
	} {
		conn := dial(t, proxy)
		head := fmt.Sprintf("CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\n", target)
		if authorization != "" {
			head += "Proxy-Authorization: " + authorization + "\r\n"
		}
		say(t, conn, []byte(head+"\r\n"))
		if got := string(hear(t, conn, 12)); got != "HTTP/1.1 "+want {
			t.Errorf("CONNECT with %q: %q, want %s", authorization, got, want)
		}
		_ = conn.Close()
	}
	running.finish(t)
	wantAlive(t, w)
}

func TestTargetsThatAreDenied(t *testing.T) {
	w := newWorld(t, "HAWSER_EGRESS_ALLOW=127.0.0.2/32")
	for host, reason := range map[string]string{
		"localhost": "loopback", "127.0.0.1": "loopback", "127.1.2.3": "loopback", "0.0.0.0": "denied",
		"10.0.0.1": "private", "172.16.0.1": "private", "192.168.1.1": "private", "169.254.169.254": "link-local",
		"100.64.0.1": "denied", "198.18.0.1": "denied", "224.0.0.1": "denied", "255.255.255.255": "denied",
		"::1": "loopback", "::": "denied", "::ffff:127.0.0.1": "loopback", "::ffff:10.0.0.1": "private",
		"64:ff9b::a00:1": "denied", "2002:a00:1::": "denied", "fd00::1": "denied", "fe80::1": "link-local", "ff02::1": "denied",
	} {
		if _, code := socks(t, w.proxy, host, w.echo.Port(), ""); code != notAllowed {
			t.Errorf("%s: SOCKS reply %d, want 2, not allowed", host, code)
		}
		url := "http://" + netJoin(host, w.echo.Port()) + "/"
		if status, body := httpVia(t, w.proxy, url); status != http.StatusForbidden {
			t.Errorf("%s: HTTP %d %q, want 403", host, status, body)
		} else if !strings.Contains(body, reason) {
			t.Errorf("%s: the reason is %q, want %q in it", host, body, reason)
		}
	}
	wantGone(t, w)
}

// wantGone ends both programs in order.
func wantGone(t *testing.T, w *world) {
	t.Helper()
	for _, p := range []*program.Process{w.client, w.server} {
		if status := p.Stop(); status != 0 {
			t.Errorf("exit status %d after SIGTERM, want 0", status)
		}
	}
}

func netJoin(host string, port uint16) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, port)
}
