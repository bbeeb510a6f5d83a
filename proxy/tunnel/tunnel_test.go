package tunnel

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"hawser/proxy/relay"
	"hawser/proxy/tunnel/mux"
	"hawser/proxy/tunnel/tunneltest"
)

func TestStreamReportsTheServersResult(t *testing.T) {
	overBoth(t, tunneltest.Line{}, func(t *testing.T, l tunneltest.Line) {
		k := newStack(t, l, func(_ *PoolConfig, c *ServerConfig) {
			c.Handler = func(ctx context.Context, r Request, in *Incoming) {
				if r.Target.Port == 81 {
					in.Refuse(relay.CodeConnectionRefused, "nobody listens at "+r.Target.String())
					return
				}
				echo(ctx, r, in)
			}
		})
		defer k.stop()
		st := k.open()
		if got := st.LocalAddr().String(); got != bound.String() {
			t.Errorf("bound address %v, want %v", got, bound)
		}
		if _, err := st.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		_ = st.CloseWrite()
		got, err := io.ReadAll(st)
		if err != nil || string(got) != "hello" {
			t.Fatalf("got %q, %v", got, err)
		}
		_ = st.Close()

		_, err = k.pool.OpenStream(context.Background(), TargetOf("192.0.2.1", 81))
		want := `server: connection refused: "nobody listens at 192.0.2.1:81"`
		if err == nil || err.Error() != want {
			t.Fatalf("error %v, want %v", err, want)
		}
		var _ interface{ ReplyCode() byte } = &ReplyError{}
	})
}

func TestOpeningAStreamTakesOneRoundTrip(t *testing.T) {
	bubbleOverBoth(t, tunneltest.Line{Delay: 30 * time.Millisecond}, func(t *testing.T, l tunneltest.Line) {
		delay := l.Delay
		k := newStack(t, l, nil)
		defer k.stop()
		k.established(2)
		start := time.Now()
		st := k.open()
		if took := time.Since(start); took != 2*delay {
			t.Errorf("opening took %v, a round trip is %v", took, 2*delay)
		}
		exchange(t, st, 100)
		if took := time.Since(start); took != 4*delay {
			t.Errorf("opening and an exchange took %v, two round trips are %v", took, 4*delay)
		}
	})
}

func TestBothEndsAreBoundToTheSameSecret(t *testing.T) {
	overBoth(t, tunneltest.Line{}, func(t *testing.T, l tunneltest.Line) {
		k := newStack(t, l, nil)
		defer k.stop()
		k.established(2)
		secret, group, initial, survive := k.net.Conns()[0].Authenticated()
		if len(secret) != bindingSize || initial != 1 || survive != time.Minute {
			t.Errorf("client: secret of %d bytes, initial %d, survive %v", len(secret), initial, survive)
		}
		if want := Fingerprint(identity(t, 's').Public()); group != want {
			t.Errorf("client: group %q, want %q", group, want)
		}
		for _, s := range k.server.Stats().Sessions {
			theirs, group, initial, _ := s.Transport.(*tunneltest.Conn).Authenticated()
			if string(theirs) == string(secret) {
				if len(group) != 44+1+16 || initial != 1 {
					t.Errorf("server: group %q, initial %d", group, initial)
				}
				return
			}
		}
		t.Error("no session of the server has the client's secret")
	})
}

func TestRevokedClientIsEndedAndLearnsWhy(t *testing.T) {
	bubbleOverBoth(t, tunneltest.Line{Delay: 20 * time.Millisecond}, func(t *testing.T, l tunneltest.Line) {
		k := newStack(t, l, nil)
		defer k.stop()
		st := k.open()
		k.clients.revoke(identity(t, 'c'))
		start := time.Now()
		k.server.Recheck()
		_, err := st.Read(make([]byte, 1))
		wantErr(t, "read after the revocation", err, mux.ErrEnded)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("ended after %v", took)
		}
		_, err = k.pool.OpenStream(context.Background(), TargetOf("example.net", 80))
		if !permanent(err) {
			t.Fatalf("new stream: %v, want a rejection", err)
		}
		stats := k.pool.Stats()
		if !stats.Rejected || stats.State != StateWaiting {
			t.Errorf("state %v rejected %v", stats.State, stats.Rejected)
		}
		t.Logf("reason: %s", stats.Reason)
		dials := k.net.Dials()
		time.Sleep(10 * time.Minute)
		if n := k.net.Dials() - dials; n < 8 || n > 32 {
			t.Errorf("%d dials in 10 minutes, want about one a minute and session, and some more at first", n)
		}
		if n := len(k.server.Stats().Sessions); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

func TestWrongServerKeyNamesBothKeys(t *testing.T) {
	k := newStack(t, tunneltest.Line{}, func(c *PoolConfig, _ *ServerConfig) { c.ServerKey = identity(t, 'x').Public() })
	defer k.stop()
	_, err := k.pool.OpenStream(context.Background(), TargetOf("example.net", 80))
	want := "tunnel: handshake: " + (&ServerKeyError{Want: identity(t, 'x').Public(), Got: identity(t, 's').Public()}).Error()
	if err == nil || err.Error() != want {
		t.Fatalf("error %v, want %v", err, want)
	}
	for _, c := range k.net.Conns() {
		if secret, _, _, _ := c.Authenticated(); secret != nil {
			t.Error("a join secret was set with a stranger")
		}
	}
}

func TestShutdownLetsStreamsFinish(t *testing.T) {
	bubbleOverBoth(t, tunneltest.Line{Delay: 5 * time.Millisecond, Rate: 1e6}, func(t *testing.T, l tunneltest.Line) {
		k := newStack(t, l, nil)
		st := k.open()
		k.established(2)
		done := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
			defer cancel()
			done <- k.server.Shutdown(ctx)
		}()
		synctest.Wait()
		_, err := k.pool.OpenStream(context.Background(), TargetOf("example.net", 80))
		if want := `server: general failure: "the server is shutting down"`; err == nil || err.Error() != want {
			t.Errorf("new stream: %v, want %v", err, want)
		}
		exchange(t, st, 1_000_000)
		_ = st.CloseWrite()
		if _, err := st.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("end of the stream: %v", err)
		}
		_ = st.Close()
		if err := <-done; err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-k.served; err != nil {
			t.Errorf("serve: %v", err)
		}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = k.pool.Close(ended)
	})
}

func TestSilentStrangersGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newStack(t, tunneltest.Line{}, func(_ *PoolConfig, c *ServerConfig) { c.MaxHandshakes = 3 })
		defer k.stop()
		k.established(2)
		var strangers []*tunneltest.Conn
		for range 10 {
			c, err := k.net.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			strangers = append(strangers, c)
		}
		synctest.Wait()
		if n := k.server.Stats().Handshakes; n != 3 {
			t.Errorf("%d handshakes are kept, want 3", n)
		}
		_, err := strangers[0].Read(make([]byte, 1))
		wantErr(t, "the oldest stranger", err, tunneltest.ErrAborted)
		k.open()
		start := time.Now()
		_, err = strangers[9].Read(make([]byte, 1))
		wantErr(t, "the newest stranger", err, tunneltest.ErrAborted)
		if took := time.Since(start); took > handshakeTime {
			t.Errorf("a stranger was kept for %v", took)
		}
	})
}
