package tunnel

import (
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"hawser/proxy/relay"
)

// tcp is a Transport over one kernel connection, for figures that are not those of the twin.
type tcp struct {
	*net.TCPConn
	done chan struct{}
	once sync.Once
}

func newTCP(c net.Conn) *tcp { return &tcp{TCPConn: c.(*net.TCPConn), done: make(chan struct{})} }

func (c *tcp) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.TCPConn.Close()
}
func (c *tcp) Abort()                                          { _ = c.Close() }
func (c *tcp) Done() <-chan struct{}                           { return c.done }
func (c *tcp) Err() error                                      { return nil }
func (c *tcp) Waiting() bool                                   { return false }
func (c *tcp) Backlog() int                                    { return 0 }
func (c *tcp) Rate() int                                       { return 0 }
func (c *tcp) Encrypts() bool                                  { return false }
func (c *tcp) InitialID() uint8                                { return 1 }
func (c *tcp) Bind([]byte, bool)                               {}
func (c *tcp) Authenticate(string, uint8, time.Duration) error { return nil }

type tcpDialer string

func (d tcpDialer) Dial(ctx context.Context) (Transport, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", string(d))
	if err != nil {
		return nil, err
	}
	return newTCP(c), nil
}

type tcpListener struct{ net.Listener }

func (l tcpListener) Accept() (Transport, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newTCP(c), nil
}

// newTCPPool makes a server and a pool over loopback.
func newTCPPool(t testing.TB, sessions int, handler Handler) *Pool {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	me, it := identity(t, 'c'), identity(t, 's')
	server, err := NewServer(ServerConfig{Identity: it, Authorise: newList(me).authorise, Handler: handler})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(tcpListener{l}) }()
	pool, err := NewPool(PoolConfig{
		Dialer: tcpDialer(l.Addr().String()), Identity: me, ServerKey: it.Public(), Min: sessions, Max: sessions,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = pool.Close(ended)
		_ = server.Shutdown(ended)
		<-served
	})
	return pool
}

func mustOpen(t testing.TB, p *Pool) *Stream {
	st, err := p.OpenStream(context.Background(), TargetOf("example.net", 80))
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// BenchmarkOneStream is the throughput of one stream, TLS and mux and both ends in one process.
func BenchmarkOneStream(b *testing.B) {
	got := make(chan int64, 1)
	p := newTCPPool(b, 1, func(_ context.Context, _ Request, in *Incoming) {
		if in.Answer(Reply{}) == nil {
			n, _ := io.CopyBuffer(struct{ io.Writer }{io.Discard}, in, make([]byte, 64<<10))
			got <- n
		}
	})
	st := mustOpen(b, p)
	buf := make([]byte, 64<<10)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := st.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	_ = st.CloseWrite()
	if n := <-got; n != int64(b.N)*int64(len(buf)) {
		b.Fatalf("%d bytes arrived", n)
	}
}

// BenchmarkNewStreams is new streams with an exchange of 256 bytes each, 32 at a time.
func BenchmarkNewStreams(b *testing.B) {
	p := newTCPPool(b, 2, echo)
	b.ReportAllocs()
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, 256)
		for pb.Next() {
			st := mustOpen(b, p)
			if _, err := st.Write(buf); err != nil {
				b.Error(err)
			}
			_ = st.CloseWrite()
			if n, err := io.ReadFull(st, buf); n != len(buf) || err != nil {
				b.Error(n, err)
			}
			if _, err := st.Read(buf); err != io.EOF {
				b.Error(err)
			}
			_ = st.Close()
		}
	})
}

func memory() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// TestIdleStreamsCostLittle counts both ends, each with the two goroutines of a relay that waits.
func TestIdleStreamsCostLittle(t *testing.T) {
	for name, c := range map[string]struct{ streams, bytes int }{"fresh": {5000, 100}, "after 1 MB": {100, 1 << 20}} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			var idle sync.WaitGroup
			wait := func(st interface{ WaitReadable() error }) {
				idle.Go(func() { _ = st.WaitReadable() })
				idle.Go(func() { <-release })
			}
			p := newTCPPool(t, 2, func(ctx context.Context, _ Request, in *Incoming) {
				if in.Answer(Reply{Code: relay.CodeSucceeded}) == nil {
					_, _ = io.CopyN(in, in, int64(c.bytes))
					wait(in)
					<-ctx.Done()
				}
			})
			before := memory()
			streams := make([]*Stream, c.streams)
			for i := range streams {
				streams[i] = mustOpen(t, p)
				exchange(t, streams[i], c.bytes)
				wait(streams[i])
			}
			each := float64(memory()-before) / float64(c.streams) / 1000
			t.Logf("%.1f kB for each of %d idle streams, both ends together", each, c.streams)
			if each > 40 {
				t.Errorf("%.1f kB, at most 40 are allowed", each)
			}
			close(release)
			for _, st := range streams {
				st.Reset()
			}
			idle.Wait()
		})
	}
}
