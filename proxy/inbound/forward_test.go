package inbound

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"hawser/proxy/relay"
	"hawser/proxy/relay/relaytest"
)

func TestForwardedRequestArrivesAsItWasSent(t *testing.T) {
	type request struct {
		line, host, body string
		header, trailer  http.Header
	}
	seen := make(chan request, 1)
	u := origins(t, map[string]http.HandlerFunc{"example.com": func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen <- request{r.Method + " " + r.RequestURI, r.Host, string(body), r.Header, r.Trailer}
		w.Header().Set("Keep-Alive", "timeout=1")
		w.Header().Set("X-Answer", "42")
		w.Header().Set("Trailer", "X-After")
		_, _ = io.WriteString(w, "answer")
		w.Header().Set("X-After", "done")
	}})
	addr, _ := start(t, Options{Opener: u})
	a := connect(t, addr).send("PUT http://user@example.com/a%2Fb/../c?x=1;y=%zz&z HTTP/1.1\r\nHost: other.example\r\n" +
		"Connection: close-me-not, X-Hop\r\nX-Hop: 1\r\nProxy-Connection: keep-alive\r\nKeep-Alive: 300\r\nTE: trailers\r\n" +
		"X-Forwarded-For: 192.0.2.1\r\nCookie: a=b\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" +
		"5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n")
	res := a.response("PUT")
	body, err := io.ReadAll(res.Body)
	if err != nil || string(body) != "answer" || res.Trailer.Get("X-After") != "done" {
		t.Errorf("response %q, trailer %v, %v; want the answer and its trailer", body, res.Trailer, err)
	}
	if res.Header.Get("Keep-Alive") != "" || res.Header.Get("X-Answer") != "42" {
		t.Errorf("response header %v; want end-to-end headers only", res.Header)
	}
	got := <-seen
	if got.line != "PUT /a%2Fb/../c?x=1;y=%zz&z" || got.host != "example.com" || got.body != "hello world" {
		t.Errorf("the target sees %q at %q, body %q", got.line, got.host, got.body)
	}
	if got.trailer.Get("X-Sum") != "11" {
		t.Errorf("the target sees trailer %v; want X-Sum", got.trailer)
	}
	for name, want := range map[string]string{
		"X-Hop": "", "Keep-Alive": "", "Proxy-Connection": "", "Connection": "", "Via": "", "User-Agent": "",
		"Accept-Encoding": "", "Te": "trailers", "Cookie": "a=b", "X-Forwarded-For": "192.0.2.1",
	} {
		if got := got.header.Get(name); got != want {
			t.Errorf("the target sees %s: %q; want %q", name, got, want)
		}
	}
}

func TestOneConnectionServesManyRequestsAndHosts(t *testing.T) {
	name := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, s+r.URL.Path) }
	}
	u := origins(t, map[string]http.HandlerFunc{"a.example": name("a"), "b.example": name("b")})
	addr, _ := start(t, Options{Opener: u})
	a := connect(t, addr)
	for _, s := range []string{"a/1", "b/1", "a/2", "b/2"} {
		host, path, _ := strings.Cut(s, "/")
		a.send("GET http://" + host + ".example/" + path + " HTTP/1.1\r\nHost: x\r\n\r\n")
		if body := a.wantStatus(s, "GET", 200); body != s {
			t.Errorf("%s: got %q", s, body)
		}
	}
	if got := u.targets(); len(got) != 2 {
		t.Errorf("opened %v; want one stream for each host", got)
	}

	t.Log("# another client gets streams of its own: a target may have authenticated the connection")
	connect(t, addr).send("GET http://a.example/3 HTTP/1.1\r\nHost: x\r\n\r\n").wantStatus("second client", "GET", 200)
	if got := u.targets(); len(got) != 3 {
		t.Errorf("opened %v; want a third stream", got)
	}

	t.Log("# the streams end with their client")
	u.mu.Lock()
	first := u.far[0]
	u.mu.Unlock()
	a.Close()
	if _, err := first.Read(make([]byte, 1)); err == nil {
		t.Error("the stream of a client that has gone still brings bytes")
	}
}

func TestBodiesAreStreamedBothWays(t *testing.T) {
	u := origins(t, map[string]http.HandlerFunc{"example.com": func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		b := make([]byte, 5)
		for { // each piece is answered before the next is sent
			if _, err := io.ReadFull(r.Body, b); err != nil {
				return
			}
			_, _ = w.Write(bytes.ToUpper(b))
			_ = http.NewResponseController(w).Flush()
		}
	}})
	addr, _ := start(t, Options{Opener: u})
	body, pieces := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), "POST", "http://example.com/", body)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(pieces, "first") }()
	res, err := browser(t, addr, nil).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != "FIRST" {
		t.Fatalf("first piece: %q, %v", got, err)
	}
	_ = pieces.Close()
	if rest, err := io.ReadAll(res.Body); err != nil || len(rest) != 0 {
		t.Errorf("rest: %q, %v; want EOF", rest, err)
	}
}

func TestLargeBodiesArriveWhole(t *testing.T) {
	u := origins(t, map[string]http.HandlerFunc{"example.com": func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}})
	m := new(relay.Meter)
	addr, _ := start(t, Options{Opener: u, Meter: m})
	want := make([]byte, 5<<20)
	_, _ = rand.Read(want)
	res, err := browser(t, addr, nil).Post("http://example.com/", "application/octet-stream", bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || sha256.Sum256(got) != sha256.Sum256(want) {
		t.Errorf("%d bytes, %v; want %d whole", len(got), err, len(want))
	}
	if in, out := m.In.Load(), m.Out.Load(); in < 5<<20 || out < 5<<20 || m.Active.Load() != 1 {
		t.Errorf("meter counts %d in, %d out, %d active; want the bodies and one stream", in, out, m.Active.Load())
	}
}

func TestExpectContinue(t *testing.T) {
	u := origins(t, map[string]http.HandlerFunc{
		"willing.example": func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) },
		"unwilling.example": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusExpectationFailed)
		},
	})
	addr, _ := start(t, Options{Opener: u})
	head := func(host string) string {
		return "POST http://" + host + "/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
	}
	a := connect(t, addr).send(head("willing.example")).want("the target's go-ahead", "HTTP/1.1 100 Continue\r\n\r\n")
	if body := a.send("hello").wantStatus("body", "POST", 200); body != "hello" {
		t.Errorf("got %q; want the body back", body)
	}
	connect(t, addr).send(head("unwilling.example")).wantStatus("no go-ahead", "POST", http.StatusExpectationFailed)
}

func TestUpgradePasses(t *testing.T) {
	u := origins(t, map[string]http.HandlerFunc{"example.com": func(w http.ResponseWriter, r *http.Request) {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
		_, _ = io.Copy(conn, buf)
	}})
	addr, _ := start(t, Options{Opener: u})
	a := connect(t, addr).send("GET http://example.com/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	if res := a.response("GET"); res.StatusCode != 101 || res.Header.Get("Upgrade") != "echo" {
		t.Fatalf("%s %v; want 101", res.Status, res.Header)
	}
	a.send("ping").want("echo", "ping").send("pong").want("echo", "pong")
	if err := a.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	a.wantClosed("half-close travels there and back")
}

func TestBrokenResponseIsNotTakenForWhole(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:80": ""}, next: make(chan *relaytest.Stream, 9)}
	addr, _ := start(t, Options{Opener: u})
	// To a client of HTTP/1.0 the end of the connection is the end of the body: only a reset tells the difference.
	for _, head := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n"} {
		a := connect(t, addr).send("GET http://example.com/ HTTP/1.0\r\n\r\n")
		far := <-u.next
		if _, err := http.ReadRequest(bufio.NewReader(far)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(far, head+"half of it\r\n"); err != nil {
			t.Fatal(err)
		}
		res := a.response("GET")
		if _, err := io.ReadFull(res.Body, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		far.Reset()
		if b, err := io.ReadAll(res.Body); err == nil {
			t.Errorf("%q: the rest is %q and a clean end; want an error", head, b)
		}
	}
}
