package inbound

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"hawser/proxy/relay"
	"hawser/proxy/relay/relaytest"
)

// patience bounds what a broken proxy may cost a test; nothing waits for it when all is well.
const patience = 20 * time.Second

// bound is what the test's tunnel says about its connections to targets.
var bound = netip.MustParseAddrPort("198.51.100.9:4711")

// tunnel is an Opener that connects from here, over an in-memory stream.
type tunnel struct {
	hosts map[string]string // target to address; others fail
	fail  error             // what opening a target that is not in hosts returns

	mu     sync.Mutex
	opened []Target
	far    []*relaytest.Stream
	next   chan *relaytest.Stream // nil, or gets the far end of every stream
}

func (u *tunnel) Open(ctx context.Context, target Target) (Stream, error) {
	u.mu.Lock()
	u.opened = append(u.opened, target)
	u.mu.Unlock()
	addr, ok := u.hosts[target.String()]
	if !ok {
		if u.fail != nil {
			return nil, u.fail
		}
		return nil, failure{code: 4, text: "no such host"}
	}
	near, far := relaytest.Pipe()
	near.SetBound(bound)
	u.mu.Lock()
	u.far = append(u.far, far)
	u.mu.Unlock()
	if u.next != nil {
		u.next <- far
	}
	if addr == "" { // the test is the target
		return near, nil
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	go func() { _ = relay.Run(context.Background(), conn, far, nil, nil) }()
	return near, nil
}

// last is the far end of the stream opened last.
func (u *tunnel) last(t *testing.T) *relaytest.Stream {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.far) == 0 {
		t.Fatal("no stream was opened")
	}
	far := u.far[len(u.far)-1]
	if err := far.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return far
}

// targets are what was asked for so far.
func (u *tunnel) targets() []Target {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]Target(nil), u.opened...)
}

// failure is an error as the tunnel's.
type failure struct {
	code byte
	text string
}

func (f failure) Error() string   { return f.text }
func (f failure) ReplyCode() byte { return f.code }

// noUplink is the tunnel's error for it.
type noUplink struct{ error }

func (noUplink) NoUplink() bool { return true }

// start runs a proxy on loopback and returns its address.
func start(t *testing.T, o Options) (addr string, s *Server) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return l.Addr().String(), s
}

// app is an application's connection to the proxy.
type app struct {
	*net.TCPConn
	t *testing.T
	r *bufio.Reader
}

func connect(t *testing.T, addr string) *app {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &app{c.(*net.TCPConn), t, bufio.NewReader(c)}
}

func (a *app) send(parts ...any) *app {
	a.t.Helper()
	if _, err := a.Write(join(parts...)); err != nil {
		a.t.Fatalf("send: %v", err)
	}
	return a
}

// join concatenates bytes (int), strings and byte slices.
func join(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = append(b, byte(p))
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		default:
			panic(fmt.Sprintf("BUG: %T", p))
		}
	}
	return b
}

func (a *app) want(why string, parts ...any) *app {
	a.t.Helper()
	want := join(parts...)
	got := make([]byte, len(want))
	if n, err := io.ReadFull(a.r, got); err != nil || string(got) != string(want) {
		a.t.Fatalf("%s: read %q, %v; want %q", why, got[:n], err, want)
	}
	return a
}

// wantClosed accepts FIN and RST: both end a connection.
func (a *app) wantClosed(why string) {
	a.t.Helper()
	b, err := io.ReadAll(a.r)
	if len(b) > 0 || errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		a.t.Fatalf("%s: read %q, %v; want the end", why, b, err)
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// echo is a target that returns what it gets, and its FIN after that.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}
