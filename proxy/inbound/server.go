package inbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"hawser/proxy/relay"
)

// Options configure a Server. Opener is required; zero values of the rest mean what is said.
type Options struct {
	Opener    Opener
	Users     []User         // none: no password
	AllowFrom []netip.Prefix // sources that need no password

	MaxConns              int           // connections at once; 0: 16,384
	MaxStrangers          int           // of them, from sources that have yet to show a password; 0: 256
	MaxStrangersPerSource int           // of them, from one address or IPv6 /64; 0: 32
	HandshakeTimeout      time.Duration // for a request to arrive; 0: 10 s
	IdleTimeout           time.Duration // between two HTTP requests of a connection; 0: 75 s

	Meter *relay.Meter   // nil: not counted
	Log   zerolog.Logger // the zero Logger is silent
}

func (o Options) withDefaults() Options {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&o.MaxConns, 16384)
	set(&o.MaxStrangers, 256)
	set(&o.MaxStrangersPerSource, 32)
	if o.HandshakeTimeout <= 0 {
		o.HandshakeTimeout = 10 * time.Second
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = 75 * time.Second
	}
	if o.Meter == nil {
		o.Meter = new(relay.Meter)
	}
	return o
}

// Server is the local proxy. Serve may be called for several listeners; all methods from any goroutine.
type Server struct {
	options  Options
	access   *access
	gate     *gate
	http     *http.Server
	handover *handover
	ctx      context.Context // ends when the server is closed
	cancel   context.CancelFunc

	mu        sync.Mutex
	closed    bool // guarded by mu; no client is begun once it is set
	listeners map[net.Listener]struct{}
	clients   sync.WaitGroup // SOCKS and CONNECT; net/http counts the rest. Add only under mu while not closed
}

// New makes a server. It fails when Users are not valid.
func New(o Options) (*Server, error) {
	if o.Opener == nil {
		panic("BUG: inbound: no Opener")
	}
	a, err := newAccess(o.Users, o.AllowFrom)
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Server{
		options: o, access: a, gate: newGate(o),
		handover: newHandover(), listeners: make(map[net.Listener]struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.http = s.newHTTP()
	go func() { _ = s.http.Serve(s.handover) }() // ends with the handover
	return s, nil
}

// Listen opens a listening socket for Serve: plain TCP, because Go listens for Multipath TCP of the kernel by default.
// Keep-alive is for hosts that vanish; on loopback it would only be four system calls for each connection.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	lc.Control = func(_, _ string, c syscall.RawConn) error {
		return c.Control(deferAccept)
	}
	if ap, err := netip.ParseAddrPort(addr); err == nil && ap.Addr().Unmap().IsLoopback() {
		lc.KeepAlive = -1
	}
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("inbound: listen: %w", err)
	}
	return l, nil
}

// Serve accepts applications until l is closed or the server is shut down, which is no error. It refuses a listener
// outside loopback that neither users nor allow_from protect.
func (s *Server) Serve(l net.Listener) error {
	if err := s.access.checkListen(l.Addr().String()); err != nil {
		return err
	}
	if !s.addListener(l) {
		_ = l.Close()
		return nil
	}
	defer s.removeListener(l)
	for pause := time.Duration(0); ; {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.begin(conn)
			runtime.Gosched() // it is served before the next one is asked for, of which there rarely is one
		case errors.Is(err, net.ErrClosed):
			return nil
		case s.ctx.Err() != nil:
			return nil
		default: // out of file descriptors, for one: what runs goes on, and ends some time
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.options.Log.Warn().Err(err).Dur("retry_in", pause).Msg("proxy cannot accept connections")
			if !s.sleep(pause) {
				return nil
			}
		}
	}
}

// sleep is false when the server was closed meanwhile.
func (s *Server) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func (s *Server) addListener(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.listeners[l] = struct{}{}
	}
	return !s.closed
}

func (s *Server) removeListener(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
	_ = l.Close()
}

// begin admits a connection.
func (s *Server) begin(conn net.Conn) {
	c := newClient(conn, s.gate, s.access)
	err := errRefused
	if c.verdict != refused {
		err = s.gate.admit(c)
	}
	if err != nil {
		s.options.Log.Debug().Err(err).Stringer("source", c.source).Msg("connection refused")
		relay.Abort(conn)
		return
	}
	if !s.spawn(func() { s.handle(c) }) {
		c.abort()
	}
}

var errRefused = errors.New("inbound: the source is not in allow_from")

// spawn runs f as work that Shutdown waits for; false: the server is closed.
func (s *Server) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.clients.Go(f)
	return true
}

// Shutdown stops accepting, lets what runs end, and resets what is left when ctx ends (then it returns ctx's error).
func (s *Server) Shutdown(ctx context.Context) error {
	for _, c := range s.stop() {
		if !c.busy.Load() { // no request yet: nothing is lost
			_ = c.Conn.Close()
		}
	}
	err := s.http.Shutdown(ctx)
	ended := make(chan struct{})
	go func() { s.clients.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	_ = s.Close()
	return err
}

// Close resets everything at once and waits for its end.
func (s *Server) Close() error {
	clients := s.stop()
	s.cancel()
	for _, c := range clients {
		relay.Abort(c.Conn)
	}
	err := s.http.Close()
	s.clients.Wait()
	return err
}

// stop closes the door.
func (s *Server) stop() []*client {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	_ = s.handover.Close()
	for l := range s.listeners {
		_ = l.Close()
	}
	return s.gate.close()
}
