package inbound

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"hawser/proxy/relay"
	"hawser/proxy/relay/relaytest"
)

// origins is a tunnel to HTTP servers by name; port 80 each.
func origins(t *testing.T, handlers map[string]http.HandlerFunc) *tunnel {
	t.Helper()
	u := &tunnel{hosts: map[string]string{}}
	for name, h := range handlers {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		u.hosts[name+":80"] = s.Listener.Addr().String()
	}
	return u
}

// browser is a real HTTP client that uses the proxy.
func browser(t *testing.T, addr string, user *url.Userinfo) *http.Client {
	t.Helper()
	tr := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: addr, User: user}), DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: patience}
}

// answer is a response whose body is closed when the test ends.
type answer struct{ *http.Response }

func (a *app) response(method string) answer {
	a.t.Helper()
	res, err := http.ReadResponse(a.r, &http.Request{Method: method})
	if err != nil {
		a.t.Fatalf("response: %v", err)
	}
	a.t.Cleanup(func() { _ = res.Body.Close() })
	return answer{res}
}

// wantStatus reads a whole response and returns its body.
func (a *app) wantStatus(why, method string, status int) string {
	a.t.Helper()
	res := a.response(method)
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		a.t.Fatalf("%s: %s %q, %v; want %d", why, res.Status, body, err, status)
	}
	return string(body)
}

func TestConnectCarriesData(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:443": echo(t), "[2001:db8::1]:443": echo(t)}}
	addr, _ := start(t, Options{Opener: u})
	for _, host := range []string{"example.com:443", "[2001:db8::1]:443"} {
		early := strings.Repeat("hello ", 2000)
		a := connect(t, addr).send("CONNECT "+host+" HTTP/1.1\r\nHost: "+host+"\r\nProxy-Connection: keep-alive\r\n\r\n", early)
		if res := a.response(http.MethodConnect); res.StatusCode != 200 || len(res.Header) != 0 {
			t.Fatalf("%s: %s %v; want 200 without headers", host, res.Status, res.Header)
		}
		a.want("echo of early data", early).send("later").want("echo", "later")
		if err := a.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		a.wantClosed("half-close travels there and back")
	}
}

func TestConnectPassesResetsOn(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:443": ""}}
	addr, _ := start(t, Options{Opener: u})
	open := func() *app {
		a := connect(t, addr).send("CONNECT example.com:443 HTTP/1.0\r\n\r\n")
		a.response(http.MethodConnect)
		return a
	}
	a := open()
	u.last(t).Reset()
	if _, err := io.ReadAll(a.r); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("application reads %v; want a reset", err)
	}
	a = open()
	relay.Abort(a.TCPConn)
	if _, err := u.last(t).Read(make([]byte, 1)); !errors.Is(err, relaytest.ErrReset) {
		t.Errorf("far end reads %v; want a reset", err)
	}
}

func TestStatusOfFailures(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
	}{
		"general failure":     {failure{code: 1, text: "why"}, 502},
		"not allowed":         {failure{code: 2, text: "why"}, 403},
		"network unreachable": {failure{code: 3, text: "why"}, 502},
		"host unreachable":    {failure{code: 4, text: "why"}, 502},
		"refused":             {failure{code: 5, text: "why"}, 502},
		"timeout":             {failure{code: 6, text: "why"}, 504},
		"no uplink":           {noUplink{errors.New("why")}, 503},
		"anything else":       {errors.New("why"), 502},
	} {
		addr, _ := start(t, Options{Opener: &tunnel{fail: fmt.Errorf("tunnel: %w", c.err)}})
		a := connect(t, addr) // one connection: a refusal does not end it
		for method, request := range map[string]string{
			"CONNECT": "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
			"GET":     "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
		} {
			body := a.send(request).wantStatus(name, method, c.status)
			if !strings.Contains(body, "why") || !strings.Contains(body, "example.com") {
				t.Errorf("%s %s: %q; want the target and the reason", method, name, body)
			}
		}
	}
}

func TestBadHTTPRequests(t *testing.T) {
	u := &tunnel{}
	addr, _ := start(t, Options{Opener: u})
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"origin-form":                 {"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", 400},
		"origin-form of a browser":    {"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}", 400},
		"asterisk-form":               {"OPTIONS * HTTP/1.1\r\nHost: example.com\r\n\r\n", 400},
		"another scheme":              {"GET https://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n", 400},
		"CONNECT without a port":      {"CONNECT example.com HTTP/1.1\r\nHost: example.com\r\n\r\n", 400},
		"CONNECT with an empty port":  {"CONNECT example.com: HTTP/1.1\r\nHost: example.com\r\n\r\n", 400},
		"CONNECT to port 0":           {"CONNECT example.com:0 HTTP/1.1\r\nHost: example.com\r\n\r\n", 400},
		"CONNECT to port 65536":       {"CONNECT example.com:65536 HTTP/1.1\r\nHost: example.com\r\n\r\n", 400},
		"CONNECT to a path":           {"CONNECT /x:80 HTTP/1.1\r\nHost: example.com\r\n\r\n", 400},
		"CONNECT with a user":         {"CONNECT me@example.com:80 HTTP/1.1\r\nHost: example.com\r\n\r\n", 400},
		"CONNECT to nothing":          {"CONNECT :80 HTTP/1.1\r\nHost: example.com\r\n\r\n", 400},
		"CONNECT to an interface":     {"CONNECT [fe80::1%25eth0]:80 HTTP/1.1\r\nHost: example.com\r\n\r\n", 400},
		"two lengths":                 {"POST http://example.com/ HTTP/1.1\r\nHost: example.com\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
		"length and bad coding":       {"POST http://example.com/ HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: xchunked\r\n\r\nab", 501},
		"space before the colon":      {"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\nContent-Length : 1\r\n\r\n", 400},
		"line break inside a name":    {"GET http://exa\rmple.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n", 400},
		"no Host":                     {"GET http://example.com/ HTTP/1.1\r\n\r\n", 400},
		"header of more than 64 kB":   {"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n\r\n", 431},
		"another version":             {"GET http://example.com/ HTTP/3.0\r\nHost: example.com\r\n\r\n", 505},
		"HTTP/2 with prior knowledge": {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
	} {
		a := connect(t, addr)
		_, _ = a.Write([]byte(c.request)) // a long one may be refused before it was read
		res := a.response("GET")
		if res.StatusCode != c.status {
			t.Errorf("%s: %s; want %d", name, res.Status, c.status)
		}
	}
	if got := u.targets(); len(got) != 0 {
		t.Errorf("opened %v; want nothing", got)
	}
}

func TestPasswordOfHTTP(t *testing.T) {
	seen := make(chan http.Header, 1)
	u := origins(t, map[string]http.HandlerFunc{"example.com": func(w http.ResponseWriter, r *http.Request) { seen <- r.Header }})
	u.hosts["example.com:443"] = echo(t)
	addr, _ := start(t, Options{Opener: u, Users: []User{{"me", "sec:ret"}}})

	a := connect(t, addr)
	for method, request := range map[string]string{
		"CONNECT": "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n",
		"GET":     "GET http://example.com/ HTTP/1.1\r\nHost: x\r\n",
	} {
		for _, credentials := range []string{
			"", "Proxy-Authorization: Basic bWU6d3Jvbmc=\r\n", "Proxy-Authorization: Basic !\r\n",
			"Proxy-Authorization: Bearer bWU6c2VjOnJldA==\r\n", "Authorization: Basic bWU6c2VjOnJldA==\r\n",
		} {
			res := a.send(request + credentials + "\r\n").response(method)
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != 407 || !strings.HasPrefix(res.Header.Get("Proxy-Authenticate"), "Basic ") {
				t.Errorf("%s %q: %s %v; want 407 and a challenge", method, credentials, res.Status, res.Header)
			}
		}
	}
	if got := u.targets(); len(got) != 0 {
		t.Errorf("opened %v before the password; want nothing", got)
	}

	res, err := browser(t, addr, url.UserPassword("me", "sec:ret")).Get("http://example.com/")
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v, %v; want 200", res, err)
	}
	res.Body.Close()
	if h := <-seen; h.Get("Proxy-Authorization") != "" || h.Get("Proxy-Connection") != "" {
		t.Errorf("the target sees %v; want nothing of the proxy's", h)
	}
	a.send("CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic bWU6c2VjOnJldA==\r\n\r\n")
	if res := a.response("CONNECT"); res.StatusCode != 200 {
		t.Errorf("right password: %s; want 200", res.Status)
	}

	trusted, _ := start(t, Options{Opener: u, Users: []User{{"me", "x"}}, AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	connect(t, trusted).send("GET http://example.com/ HTTP/1.1\r\nHost: x\r\n\r\n").wantStatus("source in allow_from", "GET", 200)
}
