package tunnel

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawser/proxy/relay"
	"hawser/proxy/tunnel/tunneltest"
)

// The twin's methods return its own type.
type (
	dialer   struct{ *tunneltest.Network }
	listener struct{ *tunneltest.Network }
)

func (d dialer) Dial(ctx context.Context) (Transport, error) {
	c, err := d.Network.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (l listener) Accept() (Transport, error) {
	c, err := l.Network.Accept()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Both ends of a stream are what the relay takes.
var (
	_ relay.Stream = (*Stream)(nil)
	_ relay.Stream = (*Incoming)(nil)
)

// overBoth runs f with a line over which TLS goes on after the welcome, and with one that encrypts by itself.
func overBoth(t *testing.T, l tunneltest.Line, f func(t *testing.T, l tunneltest.Line)) {
	t.Helper()
	for name, encrypts := range map[string]bool{"all in TLS": false, "line encrypts": true} {
		l.Encrypts = encrypts
		t.Run(name, func(t *testing.T) { f(t, l) })
	}
}

// bubbleOverBoth is overBoth inside synctest bubbles.
func bubbleOverBoth(t *testing.T, l tunneltest.Line, f func(t *testing.T, l tunneltest.Line)) {
	t.Helper()
	overBoth(t, l, func(t *testing.T, l tunneltest.Line) {
		synctest.Test(t, func(t *testing.T) { f(t, l) })
	})
}

// identity makes a key that is the same for the same letter.
func identity(t testing.TB, letter byte) *Identity {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = letter
	}
	id, err := NewIdentity(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// list is who the server knows; keys can be revoked.
type list struct {
	mu    sync.Mutex
	names map[string]string
}

func newList(ids ...*Identity) *list {
	l := &list{names: make(map[string]string)}
	for i, id := range ids {
		l.names[string(id.Public())] = string(rune('a' + i))
	}
	return l
}

func (l *list) authorise(key ed25519.PublicKey) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name, ok := l.names[string(key)]
	return name, ok
}

func (l *list) revoke(id *Identity) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.names, string(id.Public()))
}

// stack is a pool and a server over a twin network.
type stack struct {
	t       *testing.T
	net     *tunneltest.Network
	clients *list
	server  *Server
	pool    *Pool
	served  chan error
}

var bound = netip.MustParseAddrPort("203.0.113.9:4711")

// echo answers every request and sends back what comes.
func echo(_ context.Context, _ Request, in *Incoming) {
	if in.Answer(Reply{Code: relay.CodeSucceeded, Bound: bound}) != nil {
		return
	}
	_, err := io.Copy(in, in)
	if err != nil || in.CloseWrite() != nil {
		in.Reset()
	}
}

func newStack(t *testing.T, line tunneltest.Line, edit func(*PoolConfig, *ServerConfig)) *stack {
	t.Helper()
	return newStackOn(t, tunneltest.NewNetwork(line), edit)
}

func newStackOn(t *testing.T, n *tunneltest.Network, edit func(*PoolConfig, *ServerConfig)) *stack {
	t.Helper()
	k := &stack{t: t, net: n, served: make(chan error, 1)}
	me, it := identity(t, 'c'), identity(t, 's')
	k.clients = newList(me)
	pc := PoolConfig{Dialer: dialer{k.net}, Identity: me, ServerKey: it.Public(), Software: "client 1"}
	sc := ServerConfig{Identity: it, Authorise: k.clients.authorise, Handler: echo, Software: "server 1", PlainPort: 7444}
	if edit != nil {
		edit(&pc, &sc)
	}
	var err error
	if k.server, err = NewServer(sc); err != nil {
		t.Fatal(err)
	}
	go func() { k.served <- k.server.Serve(listener{k.net}) }()
	if k.pool, err = NewPool(pc); err != nil {
		t.Fatal(err)
	}
	return k
}

// stop ends both; in a bubble it must be called before the test's function returns.
func (k *stack) stop() {
	k.t.Helper()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = k.pool.Close(ended)
	_ = k.server.Shutdown(ended)
	if err := <-k.served; err != nil {
		k.t.Errorf("Serve: %v", err)
	}
}

func (k *stack) open() *Stream {
	k.t.Helper()
	return k.openTo("example.net")
}

func (k *stack) openTo(host string) *Stream {
	k.t.Helper()
	st, err := k.pool.OpenStream(context.Background(), TargetOf(host, 80))
	if err != nil {
		k.t.Fatal(err)
	}
	return st
}

// exchange sends n bytes and reads them back.
func exchange(t *testing.T, st *Stream, n int) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := st.Write(make([]byte, n))
		done <- err
	}()
	if _, err := io.ReadFull(st, make([]byte, n)); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// established waits until n sessions are.
func (k *stack) established(n int) []SessionStats {
	k.t.Helper()
	for range 1000 {
		var got []SessionStats
		for _, s := range k.pool.Stats().Sessions {
			if s.State == StateEstablished {
				got = append(got, s)
			}
		}
		if len(got) == n {
			return got
		}
		time.Sleep(10 * time.Millisecond) // virtual, or bounded by the loop
	}
	k.t.Fatalf("not %d established sessions: %+v", n, k.pool.Stats())
	return nil
}

func wantErr(t *testing.T, why string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("%s: error %v, want %v", why, got, want)
	}
}
