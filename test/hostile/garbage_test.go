package hostile

import (
	"bytes"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// port is one of those that a stranger may reach.
type port int

const (
	plainPort port = iota
	proxyPort
	clientAdmin
	serverAdmin
)

func (w *world) port(p port) netip.AddrPort {
	switch p {
	case plainPort:
		return w.plain
	case proxyPort:
		return w.proxy
	case clientAdmin:
		return w.client.AdminAddr()
	default:
		return w.server.AdminAddr()
	}
}

// random is n bytes that begin with first, the same in every run.
func random(first byte, n int) string {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{first})
	_, _ = r.Read(b) // never fails
	b[0] = first
	return string(b)
}

// clientHello is what a browser says first to an HTTPS server.
func clientHello(t *testing.T) string {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	go func() {
		_ = tls.Client(there, &tls.Config{ServerName: "example.net"}).Handshake() // nobody answers
	}()
	b := make([]byte, 4096)
	n, err := here.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// garbage is what comes to a port and how the answer begins; empty: the connection ends without a byte.
type garbage struct {
	name   string
	port   port
	send   string
	answer string
}

func garbageCases(t *testing.T) []garbage {
	hello, long := clientHello(t), strings.Repeat("x", 100<<10)
	cases := []garbage{
		{"SOCKS", plainPort, "\x05\x01\x00", ""},
		{"HTTP", plainPort, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"TLS", plainPort, hello, ""},
		{"zeros", plainPort, string(make([]byte, 64<<10)), ""},

		{"TLS", proxyPort, hello, ""},
		{"zeros", proxyPort, string(make([]byte, 64<<10)), ""},
		{"the plain carrier", proxyPort, string(goodPreface) + "\r\n\r\n", "HTTP/1.1 400"},
		{"a request for the proxy itself", proxyPort, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400"},
		{"words", proxyPort, "HELLO PROXY\r\n\r\n", "HTTP/1.1 400"},
		{"a long header", proxyPort, "GET http://x/ HTTP/1.1\r\nHost: x\r\nX: " + long + "\r\n\r\n", "HTTP/1.1 431"},
		{"CONNECT without a port", proxyPort, "CONNECT example.net HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400"},
		{"CONNECT to a bad port", proxyPort, "CONNECT example.net:65536 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400"},
		{"another scheme", proxyPort, "GET ftp://example.net/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 400"},
		{"SOCKS5 without methods", proxyPort, "\x05\x00", "\x05\xff"},
		{"SOCKS5 with unknown methods", proxyPort, "\x05\x02\x01\x80", "\x05\xff"},
		{"SOCKS5 BIND", proxyPort, "\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50", "\x05\x00\x05\x07"},
		{"SOCKS5 UDP ASSOCIATE", proxyPort, "\x05\x01\x00\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00", "\x05\x00\x05\x07"},
		{"SOCKS5 with a bad address type", proxyPort, "\x05\x01\x00\x05\x01\x00\x09\x7f\x00\x00\x01\x00\x50", "\x05\x00\x05\x08"},
		{"SOCKS5 with an empty name", proxyPort, "\x05\x01\x00\x05\x01\x00\x03\x00\x00\x50", "\x05\x00\x05\x01"},
		{"SOCKS4 BIND", proxyPort, "\x04\x02\x00\x50\x7f\x00\x00\x01\x00", "\x00\x5b"},
	}
	for i := range byte(8) {
		cases = append(cases, garbage{"random bytes", plainPort, random(1+37*i, 16<<10), ""})
		if first := 0x80 + 7*i; true { // neither a SOCKS version nor a letter
			cases = append(cases, garbage{"random bytes", proxyPort, random(first, 16<<10), ""})
		}
	}
	for _, p := range []port{clientAdmin, serverAdmin} {
		cases = append(cases,
			garbage{"random bytes on admin", p, random(0xf0, 2<<10) + "\r\n\r\n", "HTTP/1.1 400"},
			garbage{"TLS on admin", p, hello + "\r\n\r\n", "HTTP/1."},
			garbage{"SOCKS on admin", p, "\x05\x01\x00\r\n\r\n", "HTTP/1.1 400"},
			garbage{"a long header on admin", p, "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + long + "\r\n\r\n", "HTTP/1.1 431"},
			garbage{"a name that is not ours on admin", p, "GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "HTTP/1.1 421"},
			garbage{"another method on admin", p, "POST /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405"},
		)
	}
	return cases
}

func TestGarbageOnEveryPort(t *testing.T) {
	w := newWorld(t)
	running := w.transfer(t)
	for _, c := range garbageCases(t) {
		t.Run(c.name, func(t *testing.T) {
			conn := dial(t, w.port(c.port))
			_, _ = conn.Write([]byte(c.send)) // the other end may have had enough before all is sent
			_ = conn.CloseWrite()
			got := ending(t, conn)
			if c.answer == "" && len(got) > 0 || !bytes.HasPrefix(got, []byte(c.answer)) {
				t.Errorf("the answer is %.60q, want %q", got, c.answer)
			}
		})
		running.moves(t)
	}
	for _, p := range []interface{ Get(string) (int, []byte) }{w.client, w.server} {
		if status, body := p.Get("/api/v1/status"); status != 200 {
			t.Errorf("status API: %d %s", status, body)
		}
	}
	running.finish(t)
	wantAlive(t, w)
}
