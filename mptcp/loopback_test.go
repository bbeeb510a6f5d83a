package mptcp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"hawser/transport"
	"hawser/transport/plain"
	"hawser/transport/wire"
)

// loopback is a dialer and a listener joined by real TCP connections on 127.0.0.1.
type loopback struct {
	t      testing.TB
	dialer Dialer
	ln     *Listener
	source *liveSource
	news   chan struct{} // something happened to a subflow of either end
}

// liveSource is a PathSource whose list the test changes.
type liveSource struct {
	mu      sync.Mutex
	paths   []transport.Path
	changed []func()
}

func (l *liveSource) Paths() []transport.Path {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]transport.Path(nil), l.paths...)
}

func (l *liveSource) Watch(f func()) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed = append(l.changed, f)
	return func() {}
}

func (l *liveSource) Report(transport.Path, error) {}

func (l *liveSource) set(paths []transport.Path) {
	l.mu.Lock()
	l.paths = paths
	wake := append([]func(){}, l.changed...)
	l.mu.Unlock()
	for _, f := range wake {
		f()
	}
}

func newLoopback(t testing.TB, uplinks int, cfg Config) *loopback {
	t.Helper()
	news := make(chan struct{}, 1)
	cfg.Observe = func(Notice) {
		select {
		case news <- struct{}{}:
		default:
		}
	}
	acceptor, err := plain.Listen(plain.Config{Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	addr := acceptor.Addr()
	ln, err := Listen(cfg, acceptor, net.TCPAddrFromAddrPort(addr), "plain")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	src := &liveSource{}
	for i := range uplinks {
		src.paths = append(src.paths, transport.Path{
			Uplink: fmt.Sprintf("up%d", i), ID: uint8(i + 1), Remote: addr, Carrier: "plain",
			Local: netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}),
		})
	}
	return &loopback{
		t: t, ln: ln, source: src, news: news,
		dialer: Dialer{Config: cfg, Carrier: plain.NewCarrier(""), Paths: src},
	}
}

// pair opens a connection and authenticates both ends.
func (l *loopback) pair() (client, server *Conn) {
	l.t.Helper()
	client, server = l.connect()
	authenticate(client, server)
	return client, server
}

// connect opens a connection that is not authenticated.
func (l *loopback) connect() (client, server *Conn) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	client, err := l.dialer.Dial(ctx)
	if err != nil {
		l.t.Fatal(err)
	}
	server, err = l.ln.Accept()
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		client.Abort()
		server.Abort()
		<-client.Done()
		<-server.Done()
	})
	return client, server
}

// tell sends a text and waits until the other end has read it.
func (l *loopback) tell(from, to *Conn, text string) {
	l.t.Helper()
	if _, err := from.Write([]byte(text)); err != nil {
		l.t.Fatal(err)
	}
	if _, err := io.ReadFull(to, make([]byte, len(text))); err != nil {
		l.t.Fatal(err)
	}
}

// waitSubflows waits until n subflows of c work.
func (l *loopback) waitSubflows(c *Conn, n int) {
	l.t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		st := c.Stats()
		active := 0
		for _, s := range st.Subflows {
			if s.State == StateActive {
				active++
			}
		}
		if active == n {
			return
		}
		select {
		case <-l.news:
		case <-timeout:
			l.t.Fatalf("want %d working subflows: %+v", n, st)
		}
	}
}

func TestConnIsANetConn(t *testing.T) {
	for _, uplinks := range []int{1, 3} {
		t.Run(fmt.Sprintf("uplinks=%d", uplinks), func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				l := newLoopback(t, uplinks, Config{})
				client, server := l.pair()
				return client, server, func() {
					_ = client.Close()
					_ = server.Close()
				}, nil
			})
		})
	}
}

// exchange sends n bytes each way at once and compares what arrives.
func exchange(t *testing.T, a, b *Conn, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for i, dir := range [][2]*Conn{{a, b}, {b, a}} {
		want := make(chan [32]byte, 1)
		wg.Add(2)
		go func() {
			defer wg.Done()
			want <- sendRandom(t, dir[0], n, uint64(i))
		}()
		go func() {
			defer wg.Done()
			h := sha256.New()
			got, err := io.Copy(h, dir[1])
			if sum := <-want; err != nil || got != int64(n) || [32]byte(h.Sum(nil)) != sum {
				t.Errorf("%d of %d bytes arrived, error %v; the hashes are equal: %v", got, n, err, [32]byte(h.Sum(nil)) == sum)
			}
		}()
	}
	wg.Wait()
}

func sendRandom(t *testing.T, c *Conn, n int, seed uint64) [32]byte {
	r := rand.NewChaCha8([32]byte{byte(seed)})
	h := sha256.New()
	buf := make([]byte, 16<<10)
	for n > 0 {
		m := min(n, len(buf))
		_, _ = r.Read(buf[:m])
		h.Write(buf[:m])
		if _, err := c.Write(buf[:m]); err != nil {
			t.Error(err)
			break
		}
		n -= m
	}
	_ = c.CloseWrite()
	return [32]byte(h.Sum(nil))
}

func TestTransferOverSeveralSubflowsArrivesWhole(t *testing.T) {
	l := newLoopback(t, 3, Config{})
	client, server := l.pair()
	l.waitSubflows(client, 3)
	exchange(t, client, server, 32<<20)
}

func TestHalfCloseEndsOneDirectionOnly(t *testing.T) {
	l := newLoopback(t, 2, Config{})
	client, server := l.pair()
	if _, err := client.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(server)
	if err != nil || string(got) != "question" {
		t.Fatalf("read %q, %v", got, err)
	}
	if _, err := server.Write([]byte("answer after the client's end")); err != nil {
		t.Fatal(err)
	}
	_ = server.Close()
	if got, err = io.ReadAll(client); err != nil || string(got) != "answer after the client's end" {
		t.Fatalf("read %q, %v", got, err)
	}
	_ = client.Close()
	for _, c := range []*Conn{client, server} {
		<-c.Done()
		if !errors.Is(c.Err(), net.ErrClosed) {
			t.Fatalf("the connection ended with %v, want an end in order", c.Err())
		}
	}
}

func TestAbortResetsThePeer(t *testing.T) {
	l := newLoopback(t, 2, Config{})
	client, server := l.pair()
	l.waitSubflows(client, 2)
	l.waitSubflows(server, 2)
	client.Abort()
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("the peer reads %v, want a reset", err)
	}
}

func TestLostSubflowIsJoinedAgain(t *testing.T) {
	l := newLoopback(t, 2, Config{})
	client, server := l.pair()
	l.waitSubflows(client, 2)
	all := l.source.Paths()
	l.source.set(all[:1])
	l.waitSubflows(client, 1)
	l.waitSubflows(server, 1)
	l.source.set(all)
	l.waitSubflows(client, 2)
	l.source.set(nil) // break before make
	l.waitSubflows(client, 0)
	if st := client.Stats().State; st != ConnWaiting {
		t.Fatalf("without any uplink the connection is %s", st)
	}
	l.source.set(all)
	l.waitSubflows(client, 2)
	exchange(t, client, server, 1<<20)
}

func BenchmarkThroughput(b *testing.B) {
	for _, uplinks := range []int{1, 2} {
		b.Run(fmt.Sprintf("uplinks=%d", uplinks), func(b *testing.B) {
			l := newLoopback(b, uplinks, Config{})
			client, server := l.pair()
			l.waitSubflows(client, uplinks)
			go func() { _, _ = io.Copy(io.Discard, onlyReader{server}) }()
			buf := make([]byte, 16406)
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.Write(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type onlyReader struct{ io.Reader }

func TestDrainTellsThePeerBeforeTheProgramGoes(t *testing.T) {
	l := newLoopback(t, 2, Config{})
	client, server := l.pair()
	l.waitSubflows(server, 2)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	l.ln.Drain(over)
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("the client reads %v, want a reset", err)
	}
	select {
	case <-server.Done():
	default:
		t.Fatal("a connection was left")
	}
}

// TestDialEndsWithTheSubflowThatWon is about a server, or a path, that answers the first handshake and then resets.
func TestDialEndsWithTheSubflowThatWon(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write(opening(wire.MPCapable{Stage: wire.StageSYNACK, Version: 1, SHA256: true, SenderKey: 7}))
			_, _ = io.ReadFull(c, make([]byte, 8+8+4+1)) // preface, MP_CAPABLE, and the answer to what we said
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}
	}()
	l := newLoopback(t, 1, Config{})
	way := l.source.Paths()[0]
	way.Remote = ln.Addr().(*net.TCPAddr).AddrPort()
	l.source.set([]transport.Path{way})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := l.dialer.Dial(ctx)
	if !errors.Is(err, ErrNoUplink) {
		t.Fatalf("%v %v, want ErrNoUplink", c, err)
	}
}
