package tunnel

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"os"
	"testing"
	"time"

	"hawser/proxy/tunnel/mux"
	"hawser/proxy/tunnel/tunneltest"
)

// dialTLS makes a bare TLS connection to the stack's server.
func dialTLS(t *testing.T, k *stack, config *tls.Config) (*tls.Conn, *tunneltest.Conn) {
	t.Helper()
	c, err := k.net.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tls.Client(c, config), c
}

// ask says hello and gives the server's answer.
func ask(t *testing.T, conn io.ReadWriter, h Hello) Welcome {
	t.Helper()
	if _, err := conn.Write(AppendHello(nil, h)); err != nil {
		t.Fatal(err)
	}
	w, err := ReadWelcome(conn)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWelcomeSaysWhyAClientIsTurnedAway(t *testing.T) {
	bubbleOverBoth(t, tunneltest.Line{}, func(t *testing.T, l tunneltest.Line) {
		k := newStack(t, l, func(c *PoolConfig, s *ServerConfig) {
			s.MaxSessionsPerClient, c.Min = 2, 2
		})
		defer k.stop()
		k.established(2)
		known := clientTLS(identity(t, 'c'), identity(t, 's').Public())
		strange := clientTLS(identity(t, 'x'), identity(t, 's').Public())
		hello := Hello{Version: 1}
		for _, c := range []struct {
			name   string
			config *tls.Config
			hello  Hello
			want   Status
		}{
			{"stranger", strange, hello, StatusUnknownKey},
			{"stranger of another version", strange, Hello{Version: 9}, StatusUnknownKey},
			{"another version", known, Hello{Version: 9}, StatusVersion},
			{"a third session", known, hello, StatusFull},
		} {
			conn, transport := dialTLS(t, k, c.config)
			w := ask(t, conn, c.hello)
			if w.Status != c.want || w.Version != 1 || w.Text == "" {
				t.Errorf("%s: %v", c.name, w)
			}
			if c.want == StatusUnknownKey && (w.Software != "" || w.PlainPort != 0 || w.Streams != 0) {
				t.Errorf("%s learns more than that: %v", c.name, w)
			}
			if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("%s: after the welcome: %v", c.name, err)
			}
			if n := len(k.server.Stats().Sessions); n != 2 {
				t.Errorf("%s: %d sessions", c.name, n)
			}
			_ = transport.Close()
		}
		if got := k.server.Stats().Refused; got != 4 {
			t.Errorf("%d were refused, want 4", got)
		}
	})
}

func TestWelcomeSaysWhatIsAgreed(t *testing.T) {
	k := newStack(t, tunneltest.Line{}, func(_ *PoolConfig, s *ServerConfig) {
		s.MaxStreams, s.MaxSurvive, s.RawPort = 7, 90*time.Second, 7443
	})
	defer k.stop()
	conn, transport := dialTLS(t, k, clientTLS(identity(t, 'c'), identity(t, 's').Public()))
	defer transport.Abort()
	got := ask(t, conn, Hello{Version: 1, Survive: time.Hour})
	want := Welcome{Version: 1, Streams: 7, RawPort: 7443, PlainPort: 7444, Survive: 90 * time.Second, Software: "server 1"}
	want.Heard = uint32(transport.Sent())
	if got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestClientsThatServerCannotUse(t *testing.T) {
	k := newStack(t, tunneltest.Line{}, nil)
	defer k.stop()
	good := func() *tls.Config { return clientTLS(identity(t, 'c'), identity(t, 's').Public()) }
	for name, edit := range map[string]func(*tls.Config){
		"no key":        func(c *tls.Config) { c.Certificates = nil },
		"no ed25519":    func(c *tls.Config) { c.Certificates = []tls.Certificate{ecdsaCertificate(t)} },
		"no protocol":   func(c *tls.Config) { c.NextProtos, c.VerifyConnection = nil, nil },
		"wrong version": func(c *tls.Config) { c.NextProtos = []string{"hawser/2"} },
		"TLS 1.2":       func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 },
	} {
		t.Run(name, func(t *testing.T) {
			config := good()
			edit(config)
			conn, transport := dialTLS(t, k, config)
			defer transport.Abort()
			_, err := conn.Write(AppendHello(nil, Hello{Version: 1}))
			if err == nil {
				_, err = conn.Read(make([]byte, 1))
			}
			if err == nil {
				t.Error("the server answered")
			}
		})
	}
	k.open()
}

func ecdsaCertificate(t *testing.T) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestServerThatIsNoneEndsTheHandshakeInTime(t *testing.T) {
	bubbleOverBoth(t, tunneltest.Line{}, func(t *testing.T, l tunneltest.Line) {
		config := clientTLS(identity(t, 'c'), identity(t, 's').Public())
		t.Log("# silent")
		c, s := tunneltest.Pipe(l)
		start := time.Now()
		_, _, err := clientHandshake(t.Context(), c, config, Hello{Version: 1})
		wantErr(t, "handshake with a silent server", err, os.ErrDeadlineExceeded)
		if took := time.Since(start); took != handshakeTime {
			t.Errorf("took %v, want %v", took, handshakeTime)
		}
		wantErr(t, "the transport", s.Err(), tunneltest.ErrAborted)

		t.Log("# cancelled")
		c, _ = tunneltest.Pipe(l)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(time.Second)
			cancel()
		}()
		start = time.Now()
		if _, _, err = clientHandshake(ctx, c, config, Hello{Version: 1}); err == nil || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}

		t.Log("# garbage")
		c, s = tunneltest.Pipe(l)
		go func() { _, _ = s.Write(bytes.Repeat([]byte("SSH-2.0 garbage\r\n"), 1<<14)) }()
		if _, _, err = clientHandshake(t.Context(), c, config, Hello{Version: 1}); err == nil {
			t.Error("garbage was taken for a server")
		}
	})
}

func TestStrangersSayAtMost64kB(t *testing.T) {
	c, s := tunneltest.Pipe(tunneltest.Line{Buffer: 1 << 20})
	if _, err := c.Write(make([]byte, strangerBytes+1000)); err != nil {
		t.Fatal(err)
	}
	g := newGuard(s)
	n, err := io.Copy(io.Discard, struct{ io.Reader }{g})
	wantErr(t, "read beyond the limit", err, errStranger)
	if n != strangerBytes {
		t.Errorf("%d bytes were read, want %d", n, strangerBytes)
	}
	g.trusted.Store(true)
	if n, err := io.ReadFull(g, make([]byte, 1000)); n != 1000 || err != nil {
		t.Errorf("trusted: %d, %v", n, err)
	}
}

func TestNoDeadlineIsLeftOnTheTransport(t *testing.T) {
	bubbleOverBoth(t, tunneltest.Line{}, func(t *testing.T, l tunneltest.Line) {
		k := newStack(t, l, nil)
		defer k.stop()
		st := k.open()
		exchange(t, st, 10)
		k.net.SetDown(true)
		done := make(chan error, 1)
		go func() {
			_, err := st.Write(make([]byte, 4<<20))
			done <- err
		}()
		go func() { _, _ = io.Copy(io.Discard, st) }()
		time.Sleep(time.Hour) // longer than any timer of TLS, the mux and this package
		k.net.SetDown(false)
		if err := <-done; err != nil {
			t.Errorf("a write that waited for an hour: %v", err)
		}
	})
}

func TestResetPassesBothWays(t *testing.T) {
	overBoth(t, tunneltest.Line{}, func(t *testing.T, l tunneltest.Line) {
		ended := make(chan error, 1)
		asked := make(chan *Incoming, 1)
		k := newStack(t, l, func(_ *PoolConfig, c *ServerConfig) {
			c.Handler = func(ctx context.Context, r Request, in *Incoming) {
				if r.Target.Port == 1 { // a connect that never ends
					asked <- in
					<-ctx.Done()
					ended <- ctx.Err()
					return
				}
				_ = in.Answer(Reply{})
				if _, err := io.ReadFull(in, make([]byte, 1)); err == nil {
					in.Reset()
				}
			}
		})
		defer k.stop()
		st := k.open()
		if _, err := st.Write([]byte{0}); err != nil {
			t.Fatal(err)
		}
		_, err := st.Read(make([]byte, 1))
		wantErr(t, "read after the server's reset", err, mux.ErrReset)

		t.Log("# an application that gives up while the server connects ends the connecting")
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-asked
			cancel()
		}()
		_, err = k.pool.OpenStream(ctx, TargetOf("192.0.2.1", 1))
		wantErr(t, "given up", err, context.Canceled)
		wantErr(t, "the handler", <-ended, context.Canceled)
	})
}

func TestSilentStreamsAreEnded(t *testing.T) {
	bubbleOverBoth(t, tunneltest.Line{}, func(t *testing.T, l tunneltest.Line) {
		k := newStack(t, l, nil)
		defer k.stop()
		sessions := k.established(2)
		k.pool.mu.Lock()
		m := k.pool.sessions[0].mux
		k.pool.mu.Unlock()
		st, err := m.Open(t.Context(), []byte{1}) // a request cut short
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = st.Read(make([]byte, 1))
		wantErr(t, "a stream without a request", err, mux.ErrReset)
		if took := time.Since(start); took != requestTime {
			t.Errorf("ended after %v, want %v", took, requestTime)
		}
		t.Log("# a malformed one is told")
		for request, want := range map[string]byte{"\x02\x01\x01": 1, "\x01\x09\x01": 7, "\x01\x01\x09": 8} {
			if st, err = m.Open(t.Context(), []byte(request)); err != nil {
				t.Fatal(err)
			}
			reply, err := ReadReply(st)
			if err != nil || byte(reply.Code) != want || reply.Text == "" {
				t.Errorf("%x: %v, %v, want code %d", request, reply, err, want)
			}
			_ = st.Close()
		}
		if got := k.established(2); got[0].ID != sessions[0].ID {
			t.Error("the session did not survive")
		}
	})
}

func TestFailuresSayWhatToDo(t *testing.T) {
	var rejected error = &RejectedError{Status: StatusUnknownKey, Text: "x"}
	want := `the server turned this client away: key not listed or revoked ("x"): join again with a new invite`
	if rejected.Error() != want {
		t.Errorf("%q, want %q", rejected, want)
	}
	if permanent(&RejectedError{Status: StatusFull}) || permanent(&RejectedError{Status: StatusShuttingDown}) {
		t.Error("a full server is tried again soon")
	}
	for _, err := range []error{ErrNoUplink, ErrFull, &ReplyError{Code: 5}} {
		var coded interface{ ReplyCode() byte }
		if !errors.As(err, &coded) || coded.ReplyCode() == 0 {
			t.Errorf("%v has no reply code", err)
		}
	}
}
