package tunnel

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawser/proxy/tunnel/tunneltest"
)

// corked is a transport that keeps writes back while hold is set.
type corked struct {
	Transport
	hold bool
	kept []byte
}

func (c *corked) Write(b []byte) (int, error) {
	if !c.hold {
		return c.Transport.Write(b)
	}
	c.kept = append(c.kept, b...)
	return len(b), nil
}

// uncork writes what was kept in one piece.
func (c *corked) uncork() error {
	c.hold = false
	_, err := c.Transport.Write(c.kept)
	return err
}

// handServer is a server's end of a handshake, made by hand: with is in one record with the welcome, behind follows it as
// the mux's bytes do, and all of that leaves in one piece.
func handServer(id *Identity, t Transport, with, behind string) (net.Conn, error) {
	c := &corked{Transport: t}
	g := newGuard(c)
	conn := tls.Server(g, serverTLS(id))
	if _, err := readClient(conn); err != nil {
		return nil, err
	}
	c.hold = true
	if _, err := conn.Write(append(AppendWelcome(nil, Welcome{Version: Version, Heard: uint32(g.heard())}), with...)); err != nil {
		return nil, err
	}
	inside, err := handOver(g, conn)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(inside, behind); err != nil {
		return nil, err
	}
	return inside, c.uncork()
}

// handshake joins both ends over l.
func handshake(t *testing.T, l tunneltest.Line, with, behind string) (c, s net.Conn, below *tunneltest.Conn, err error) {
	t.Helper()
	me, it := identity(t, 'c'), identity(t, 's')
	below, other := tunneltest.Pipe(l)
	served := make(chan error, 1)
	go func() {
		var err error
		s, err = handServer(it, other, with, behind)
		served <- err
	}()
	c, _, err = clientHandshake(t.Context(), below, clientTLS(me, it.Public()), Hello{Version: Version})
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	return c, s, below, err
}

// A server may speak right behind its welcome, and TLS reads ahead.
func TestBytesRightBehindTheWelcomeArrive(t *testing.T) {
	for name, behind := range map[string]string{
		"few":            "x",
		"like a record":  string(record(100)),
		"more than that": string(bytes.Repeat([]byte("behind "), 1500)),
	} {
		t.Run(name, func(t *testing.T) {
			bubbleOverBoth(t, tunneltest.Line{}, func(t *testing.T, l tunneltest.Line) {
				c, _, below, err := handshake(t, l, "", behind)
				if err != nil {
					t.Fatal(err)
				}
				_ = c.SetReadDeadline(time.Now().Add(time.Second))
				got := make([]byte, len(behind))
				if n, err := io.ReadFull(c, got); err != nil || string(got) != behind {
					t.Errorf("%d of %d bytes, %v", n, len(behind), err)
				}
				below.Abort()
			})
		})
	}
}

func TestMoreInsideTheWelcomesRecordIsNotLost(t *testing.T) {
	bubbleOverBoth(t, tunneltest.Line{}, func(t *testing.T, l tunneltest.Line) {
		c, _, below, err := handshake(t, l, "more", "")
		if l.Encrypts {
			wantErr(t, "more inside TLS", err, errLeftOver)
			wantErr(t, "the transport", below.Err(), tunneltest.ErrAborted)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 4)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "more" {
			t.Errorf("got %q, %v", got, err)
		}
		below.Abort()
	})
}

// inserting is a path that puts bytes behind the first TLS record of the client.
type inserting struct {
	Transport
	seen  []byte
	extra string
}

func (i *inserting) Read(b []byte) (int, error) {
	if len(i.seen) >= 5 && len(i.seen) == 5+int(binary.BigEndian.Uint16(i.seen[3:])) && i.extra != "" {
		n := copy(b, i.extra)
		i.extra = i.extra[n:]
		return n, nil
	}
	n, err := i.Transport.Read(b)
	i.seen = append(i.seen, b[:n]...)
	return n, err
}

// TestHandshakeThatAPathMadeLongerIsRefused: TLS skips records of change_cipher_spec, and the server would take so many of
// the streams' first bytes for ones that it has.
func TestHandshakeThatAPathMadeLongerIsRefused(t *testing.T) {
	for _, extra := range []string{"", "\x14\x03\x03\x00\x01\x01"} {
		synctest.Test(t, func(t *testing.T) {
			me, it := identity(t, 'c'), identity(t, 's')
			below, other := tunneltest.Pipe(tunneltest.Line{Encrypts: true})
			served := make(chan error, 1)
			go func() {
				_, err := handServer(it, &inserting{Transport: other, extra: extra}, "", "")
				served <- err
			}()
			_, _, err := clientHandshake(t.Context(), below, clientTLS(me, it.Public()), Hello{Version: Version})
			if err := <-served; err != nil {
				t.Fatal(err)
			}
			if extra == "" && err != nil || extra != "" && !errors.Is(err, errMoved) {
				t.Errorf("%d bytes more: %v", len(extra), err)
			}
			below.Abort()
		})
	}
}

func TestMoreInsideTheHellosRecordIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newStack(t, tunneltest.Line{Encrypts: true}, nil)
		defer k.stop()
		k.established(2)
		conn, transport := dialTLS(t, k, clientTLS(identity(t, 'c'), identity(t, 's').Public()))
		if _, err := conn.Write(append(AppendHello(nil, Hello{Version: Version}), "more"...)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		wantErr(t, "the transport", transport.Err(), tunneltest.ErrAborted)
		if st := k.server.Stats(); st.Failed != 1 || len(st.Sessions) != 2 {
			t.Errorf("%d failed, %d sessions", st.Failed, len(st.Sessions))
		}
	})
}

func TestEndInOrderComesAfterTheBytes(t *testing.T) {
	const last = "last words"
	bubbleOverBoth(t, tunneltest.Line{Delay: 10 * time.Millisecond}, func(t *testing.T, l tunneltest.Line) {
		for _, fromClient := range []bool{true, false} {
			from, to, below, err := handshake(t, l, "", "")
			if err != nil {
				t.Fatal(err)
			}
			before := below.Sent()
			if !fromClient {
				from, to = to, from
			}
			if _, err := io.WriteString(from, last); err != nil {
				t.Fatal(err)
			}
			if err := from.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(to)
			if string(got) != last || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
			_ = to.Close()
			if n := below.Sent() - before; l.Encrypts && fromClient && n != int64(len(last)) {
				t.Errorf("%d bytes were sent, want the %d of the application and nothing of TLS", n, len(last))
			}
		}
	})
}

// tap notes what passes a client's end.
type tap struct {
	*tunneltest.Conn
	mu  sync.Mutex
	out []byte
	in  []byte
}

func (c *tap) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.out = append(c.out, b...)
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *tap) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	c.in = append(c.in, b[:n]...)
	c.mu.Unlock()
	return n, err
}

// tapDialer makes taps.
type tapDialer struct {
	net *tunneltest.Network
	mu  sync.Mutex
	all []*tap
}

func (d *tapDialer) Dial(ctx context.Context) (Transport, error) {
	c, err := d.net.Dial(ctx)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, &tap{Conn: c})
	return d.all[len(d.all)-1], nil
}

func TestStreamsAreInTLSUnlessTheLineEncrypts(t *testing.T) {
	const canary = "a canary that sings both ways"
	overBoth(t, tunneltest.Line{}, func(t *testing.T, l tunneltest.Line) {
		d := &tapDialer{net: tunneltest.NewNetwork(l)}
		k := newStackOn(t, d.net, func(c *PoolConfig, _ *ServerConfig) {
			c.Dialer, c.Min, c.Max = d, 1, 1
		})
		defer k.stop()
		st := k.openTo(canary)
		if _, err := io.WriteString(st, canary); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(st, make([]byte, len(canary))); err != nil {
			t.Fatal(err)
		}
		c := d.all[0]
		c.mu.Lock()
		defer c.mu.Unlock()
		want := 0
		if l.Encrypts {
			want = 1
		}
		if n := bytes.Count(c.out, []byte(canary)); n != 2*want { // the target's name and the application's bytes
			t.Errorf("%d canaries in clear from the client, want %d", n, 2*want)
		}
		if n := bytes.Count(c.in, []byte(canary)); n != want {
			t.Errorf("%d canaries in clear from the server, want %d", n, want)
		}
		if bytes.Contains(c.out, []byte("client 1")) || bytes.Contains(c.in, []byte("server 1")) {
			t.Error("hello or welcome are in clear")
		}
	})
}
