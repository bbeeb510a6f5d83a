package hostile

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"hawser/test/program"
)

// Reply codes of RFC 1928 §6.
const (
	succeeded       = 0
	generalFailure  = 1
	notAllowed      = 2
	netUnreachable  = 3
	hostUnreachable = 4
	refusedCode     = 5
)

// dial connects by plain TCP, with a deadline for all that follows.
func dial(t *testing.T, addr netip.AddrPort) *net.TCPConn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr.String(), program.Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(program.Patience)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// socks asks a SOCKS5 proxy for a host by name (RFC 1928 §4) and gives the reply code; user is "name:password" or empty.
func socks(t *testing.T, proxy netip.AddrPort, host string, port uint16, user string) (conn *net.TCPConn, code byte) {
	t.Helper()
	conn = dial(t, proxy)
	method := byte(0)
	if user != "" {
		method = 2
	}
	say(t, conn, []byte{5, 1, method})
	if answer := hear(t, conn, 2); answer[1] == 0xff {
		return conn, 0xff
	}
	if name, password, ok := strings.Cut(user, ":"); ok {
		b := append([]byte{1, byte(len(name))}, name...)
		say(t, conn, append(append(b, byte(len(password))), password...))
		if answer := hear(t, conn, 2); answer[1] != 0 {
			return conn, 0xfe
		}
	}
	b := append([]byte{5, 1, 0, 3, byte(len(host))}, host...)
	say(t, conn, binary.BigEndian.AppendUint16(b, port))
	return conn, hear(t, conn, 10)[1]
}

// mustConnect opens a stream that has to work; no deadline is left on it.
func mustConnect(t *testing.T, proxy, target netip.AddrPort) net.Conn {
	t.Helper()
	conn, code := socks(t, proxy, target.Addr().String(), target.Port(), "")
	if code != succeeded {
		t.Fatalf("SOCKS reply %d, want success", code)
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	return conn
}

// exchange sends a word through the proxy and wants it back: an honest client gets in.
func exchange(t *testing.T, proxy, echo netip.AddrPort) {
	t.Helper()
	conn := mustConnect(t, proxy, echo)
	_ = conn.SetDeadline(time.Now().Add(program.Patience))
	say(t, conn, []byte("hello"))
	if got := hear(t, conn, 5); string(got) != "hello" {
		t.Errorf("the target answers %q", got)
	}
	_ = conn.Close()
}

// httpVia asks for a URL through the proxy and gives status and body.
func httpVia(t *testing.T, proxy netip.AddrPort, target string) (status int, body string) {
	t.Helper()
	c := http.Client{Timeout: program.Patience, Transport: &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: proxy.String()}), DisableKeepAlives: true,
	}}
	res, err := c.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// say writes everything.
func say(t *testing.T, conn net.Conn, b []byte) {
	t.Helper()
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
}

// hear reads n bytes.
func hear(t *testing.T, conn io.Reader, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(conn, b); err != nil {
		t.Fatal(err)
	}
	return b
}

// ending reads until the peer ends the connection, by a close or a reset, and gives what it said before.
func ending(t *testing.T, conn net.Conn) []byte {
	t.Helper()
	b, err := io.ReadAll(conn)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		t.Fatalf("the peer keeps the connection open; it has said %q", b)
	}
	return b
}

// addrPort is a TCP address as a value.
func addrPort(a net.Addr) netip.AddrPort { return a.(*net.TCPAddr).AddrPort() }
