package hostile

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hawser/mptcp"
	"hawser/proxy/relay"
	"hawser/proxy/tunnel"
	"hawser/proxy/tunnel/mux"
	"hawser/test/program"
	"hawser/transport"
	"hawser/transport/plain"
)

// ways are a number of paths from 127.0.0.1 to a server, each an uplink of its own.
type ways struct {
	server netip.AddrPort
	n      int
}

// Paths implements mptcp.PathSource.
func (w ways) Paths() (list []transport.Path) {
	for id := range w.n {
		list = append(list, transport.Path{
			Uplink: fmt.Sprint("way ", id+1), ID: uint8(id + 1), Local: netip.MustParseAddr("127.0.0.1"),
			Remote: w.server, Carrier: "plain",
		})
	}
	return list
}

// Watch implements mptcp.PathSource: nothing changes.
func (ways) Watch(func()) (stop func()) { return func() {} }

// Report implements mptcp.PathSource: nobody asks.
func (ways) Report(transport.Path, error) {}

// dialSession opens a session's connection over a number of uplinks, before TLS.
func (w *world) dialSession(t *testing.T, uplinks int) *mptcp.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
	defer cancel()
	d := mptcp.Dialer{Carrier: plain.NewCarrier(""), Paths: ways{w.plain, uplinks}}
	conn, err := d.Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Abort)
	if err := conn.SetDeadline(time.Now().Add(program.Patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// certificate wraps a key as clients do.
func certificate(t *testing.T, public, private any) tls.Certificate {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

// clientTLS is how a client that is let in speaks TLS.
func clientTLS(t *testing.T, key ed25519.PrivateKey) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{certificate(t, key.Public(), key)}, MinVersion: tls.VersionTLS13,
		NextProtos: []string{"hawser/1"}, InsecureSkipVerify: true, // the test knows its server
	}
}

// badHello is a client that breaks the rules of docs/protocol.md §2.
type badHello struct {
	name  string
	tls   func(t *testing.T, c *tls.Config) // changes a good configuration
	hello func() []byte                     // nil: a good one
	want  *tunnel.Welcome                   // nil: the session ends without a welcome
	says  string                            // in the welcome's text or in the error
}

func goodHello() []byte {
	return tunnel.AppendHello(nil, tunnel.Hello{Version: 1, Instance: [8]byte{1}, AddressID: 1, Survive: time.Minute})
}

// message makes a message of fields as they are.
func message(fields ...byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(fields))), fields...)
}

var badHellos = []badHello{
	{"unknown version", nil, func() []byte {
		return tunnel.AppendHello(nil, tunnel.Hello{Version: 99, Instance: [8]byte{1}, AddressID: 1})
	}, &tunnel.Welcome{Status: tunnel.StatusVersion, Version: 1}, "the client speaks version 99, the server 1"},
	{"a key that is not listed", func(t *testing.T, c *tls.Config) {
		_, key, _ := ed25519.GenerateKey(rand.Reader)
		c.Certificates = []tls.Certificate{certificate(t, key.Public(), key)}
	}, nil, &tunnel.Welcome{Status: tunnel.StatusUnknownKey, Version: 1}, "is not in the server's list"},
	{"a key of another kind", func(t *testing.T, c *tls.Config) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{certificate(t, key.Public(), key)}
	}, nil, nil, "bad certificate"},
	{"no key", func(_ *testing.T, c *tls.Config) { c.Certificates = nil }, nil, nil, "certificate required"},
	{"another protocol", func(_ *testing.T, c *tls.Config) { c.NextProtos = []string{"h2"} }, nil, nil, "no application protocol"},
	{"no protocol", func(_ *testing.T, c *tls.Config) { c.NextProtos = nil }, nil, nil, ""},
	{"TLS 1.2", func(_ *testing.T, c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 }, nil, nil, "protocol version"},
	{"too long", nil, func() []byte { return append([]byte{4, 1}, make([]byte, 1025)...) }, nil, ""},
	{"65,535 bytes", nil, func() []byte { return append([]byte{0xff, 0xff}, make([]byte, 0xffff)...) }, nil, ""},
	{"a field cut off", nil, func() []byte { return message(1, 2, 0, 1, 2, 8, 0) }, nil, ""},
	{"a field twice", nil, func() []byte { return message(1, 2, 0, 1, 1, 2, 0, 1) }, nil, ""},
	{"a field of the wrong length", nil, func() []byte { return message(1, 1, 1) }, nil, ""},
	{"no fields", nil, func() []byte { return message() }, nil, ""},
}

func TestInsidersWhoBreakTheRulesOfTheSession(t *testing.T) {
	w := newWorld(t)
	key := w.insider(t)
	running := w.transfer(t)
	for _, c := range badHellos {
		t.Run(c.name, func(t *testing.T) {
			config := clientTLS(t, key)
			if c.tls != nil {
				c.tls(t, config)
			}
			if c.hello == nil {
				c.hello = goodHello
			}
			conn := tls.Client(w.dialSession(t, 1), config)
			_, err := conn.Write(c.hello())
			var got tunnel.Welcome
			if err == nil {
				got, err = tunnel.ReadWelcome(conn)
			}
			c.judge(t, got, err)
			running.moves(t)
		})
	}
	t.Run("keys that are not listed, in numbers", func(t *testing.T) {
		const clients, lines = 60, 5 // lines a second
		_, stranger, _ := ed25519.GenerateKey(rand.Reader)
		before, start := strings.Count(w.server.Log(), "client turned away"), time.Now()
		for range clients {
			if _, err := w.enter(t, stranger, 1); err == nil {
				t.Fatal("a key that is not listed gets in")
			}
		}
		n, most := strings.Count(w.server.Log(), "client turned away")-before, lines*(2+int(time.Since(start).Seconds()))
		if n == 0 || n > most {
			t.Errorf("%d clients in %v made the server log %d lines, want 1 to %d", clients, time.Since(start), n, most)
		}
	})
	t.Run("200 kB in place of TLS", func(t *testing.T) {
		conn := w.dialSession(t, 1)
		hello := append([]byte{22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff}, make([]byte, 200<<10)...) // a ClientHello without end
		_, err := conn.Write(hello)
		if err == nil {
			_, err = io.Copy(io.Discard, conn)
		}
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			t.Errorf("%v, want the end", err)
		}
	})
	running.finish(t)
	wantAlive(t, w)
}

// judge compares what the server has said with what it should.
func (c badHello) judge(t *testing.T, got tunnel.Welcome, err error) {
	t.Helper()
	switch {
	case c.want == nil && err == nil:
		t.Errorf("the server answers %v, want an end", got)
	case c.want == nil:
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() || !strings.Contains(err.Error(), c.says) {
			t.Errorf("the session ends with %v, want %q in it", err, c.says)
		}
	case err != nil:
		t.Errorf("no welcome: %v", err)
	case got.Status != c.want.Status || got.Version != c.want.Version || !strings.Contains(got.Text, c.says):
		t.Errorf("%v, want %v with %q", got, c.want, c.says)
	}
}

// enter makes a session. TLS has ended with the welcome; the server says nothing before it is asked.
func (w *world) enter(t *testing.T, key ed25519.PrivateKey, uplinks int) (*mptcp.Conn, error) {
	t.Helper()
	transport := w.dialSession(t, uplinks)
	conn := tls.Client(transport, clientTLS(t, key))
	if err := conn.Handshake(); err != nil {
		return nil, err
	}
	state := conn.ConnectionState()
	secret, err := state.ExportKeyingMaterial("EXPORTER-hawser-binding", nil, 32)
	if err != nil {
		return nil, err
	}
	transport.Bind(secret, state.CipherSuite == tls.TLS_CHACHA20_POLY1305_SHA256)
	if _, err := conn.Write(goodHello()); err != nil {
		return nil, err
	}
	welcome, err := tunnel.ReadWelcome(conn)
	if err == nil && welcome.Status != tunnel.StatusWelcome {
		err = &tunnel.RejectedError{Status: welcome.Status, Text: welcome.Text}
	}
	if err != nil {
		return nil, err
	}
	return transport, transport.Authenticate("server", 1, time.Minute)
}

// badRequest is a stream's opening header that breaks docs/protocol.md §3, and the code that answers it.
type badRequest struct {
	name    string
	request string
	code    relay.Code
	text    string
}

var badRequests = []badRequest{
	{"version 9", "\x09\x01\x01\x7f\x00\x00\x01\x00\x50", relay.CodeGeneralFailure, "version 9"},
	{"command 3", "\x01\x03\x01\x7f\x00\x00\x01\x00\x50", relay.CodeCommandNotSupported, "command 3"},
	{"address type 9", "\x01\x01\x09\x7f\x00\x00\x01\x00\x50", relay.CodeAddressTypeUnknown, "9"},
	{"an empty name", "\x01\x01\x03\x00\x00\x50", relay.CodeAddressTypeUnknown, "name"},
	{"port 0", "\x01\x01\x01\x7f\x00\x00\x01\x00\x00", relay.CodeGeneralFailure, "port 0"},
	{"a name that is none", "\x01\x01\x03\x04\x00\xff\n \x00\x50", relay.CodeHostUnreachable, ""},
	{"a private address", "\x01\x01\x01\x0a\x00\x00\x01\x00\x50", relay.CodeNotAllowed, "private"},
}

func TestInsidersWhoBreakTheRulesOfAStream(t *testing.T) {
	w := newWorld(t)
	key := w.insider(t)
	running := w.transfer(t)
	conn, err := w.enter(t, key, 1)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mux.New(conn, mux.Config{Client: true})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, c := range badRequests {
		t.Run(c.name, func(t *testing.T) {
			st, err := m.Open(t.Context(), []byte(c.request))
			if err != nil {
				t.Fatal(err)
			}
			defer st.Reset()
			_ = st.SetDeadline(time.Now().Add(program.Patience))
			reply, err := tunnel.ReadReply(st)
			if err != nil || reply.Code != c.code || !strings.Contains(reply.Text, c.text) {
				t.Errorf("%v, %v; want %v with %q", reply, err, c.code, c.text)
			}
			running.moves(t)
		})
	}
	t.Run("cut off", func(t *testing.T) {
		st, err := m.Open(t.Context(), []byte("\x01\x01\x03\xffonly this"))
		if err != nil {
			t.Fatal(err)
		}
		_ = st.CloseWrite()
		_ = st.SetDeadline(time.Now().Add(program.Patience))
		if _, err := tunnel.ReadReply(st); err == nil {
			t.Error("half a request is answered as if it were whole")
		}
	})
	t.Run("the session goes on", func(t *testing.T) {
		request, err := tunnel.AppendRequest(nil, tunnel.Request{
			Command: tunnel.CommandConnect, Target: tunnel.Target{Addr: w.echo.Addr(), Port: w.echo.Port()},
		})
		if err != nil {
			t.Fatal(err)
		}
		st, err := m.Open(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Reset()
		_ = st.SetDeadline(time.Now().Add(program.Patience))
		if reply, err := tunnel.ReadReply(st); err != nil || reply.Code != relay.CodeSucceeded {
			t.Fatalf("%v, %v; want success", reply, err)
		}
		if _, err := st.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if got := hear(t, st, 5); string(got) != "hello" {
			t.Errorf("the target answers %q", got)
		}
	})
	running.finish(t)
	wantAlive(t, w)
}

func TestInsidersWhoBreakTheMux(t *testing.T) {
	w := newWorld(t)
	key := w.insider(t)
	running := w.transfer(t)
	for name, frame := range map[string]string{
		"another version":        "\x01\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00",
		"unknown type":           "\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"a stream of the server": "\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x00",
		"stream 0":               "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00",
		"4 GB in a frame":        "\x00\x00\x00\x01\x00\x00\x00\x01\xff\xff\xff\xff" + strings.Repeat("x", 1<<20),
		"the same stream twice":  "\x00\x01\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00",
		"garbage":                strings.Repeat("\xff", 64<<10),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := w.enter(t, key, 1)
			if err != nil {
				t.Fatal(err)
			}
			_, err = conn.Write([]byte(frame))
			if err == nil {
				_, err = io.Copy(io.Discard, conn)
			}
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				t.Errorf("%v, want the end of the session", err)
			}
			running.moves(t)
		})
	}
	running.finish(t)
	wantAlive(t, w)
}
