package tunnel

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"hawser/proxy/tunnel/mux"
)

// Handler serves one stream: it answers the request once and then moves the application's bytes. The context ends when
// the client resets the stream or the session ends. The stream is closed when the handler returns.
type Handler func(ctx context.Context, r Request, st *Incoming)

// ServerConfig configures a Server.
type ServerConfig struct {
	Identity *Identity
	// Authorise tells whether a client's key is listed, and its name. It is asked again by Recheck.
	Authorise            func(key ed25519.PublicKey) (name string, ok bool)
	Handler              Handler
	Windows              *mux.Windows  // receive memory of all streams; nil: no limit
	MaxWindow            int           // bytes, of one stream; 0: mux.DefaultMaxWindow
	MaxStreams           int           // of one session; 0: 8,192
	MaxSessions          int           // of all clients; 0: 4,096
	MaxSessionsPerClient int           // of one key; 0: 256
	MaxHandshakes        int           // peers that have not proved who they are; the oldest gives way. 0: 512
	MaxSurvive           time.Duration // the longest that a client gets; 0: 10 min
	RawPort, PlainPort   uint16        // what welcomes say; 0: off
	Software             string        // version of the program, for the client's log
	Log                  zerolog.Logger
}

// Server accepts sessions and serves their streams. Its methods may be called from any goroutine.
type Server struct {
	c      ServerConfig
	tls    *tls.Config
	door   zerolog.Logger  // for strangers, who must not be able to fill the log: so many lines a second
	ctx    context.Context // ends when Shutdown is over
	cancel context.CancelFunc
	tasks  sync.WaitGroup // one for each transport

	mu         sync.Mutex
	listeners  map[Listener]struct{}
	sessions   []*serverSession // oldest first
	handshakes []Transport      // oldest first
	idle       chan struct{}    // closed and replaced when a session has no streams any more, or ends
	lastID     int
	closing    bool
	stats      ServerStats // the counters
}

// refusalLines is how many clients a second are logged when they are turned away.
const refusalLines = 5

// NewServer makes a server.
func NewServer(c ServerConfig) (*Server, error) {
	if c.Identity == nil || c.Authorise == nil || c.Handler == nil {
		return nil, errors.New("tunnel: a server needs an identity, an authoriser and a handler")
	}
	for _, d := range []struct {
		value    *int
		standard int
	}{{&c.MaxStreams, 8192}, {&c.MaxSessions, 4096}, {&c.MaxSessionsPerClient, 256}, {&c.MaxHandshakes, 512}} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if c.MaxSurvive <= 0 {
		c.MaxSurvive = 10 * time.Minute
	}
	if c.Windows == nil {
		c.Windows = mux.NewWindows(nil, 0)
	}
	s := &Server{
		c:         c,
		tls:       serverTLS(c.Identity),
		door:      c.Log.Sample(&zerolog.BurstSampler{Burst: refusalLines, Period: time.Second}),
		listeners: make(map[Listener]struct{}),
		idle:      make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Serve accepts sessions from l until Shutdown (nil) or an error of the listener.
func (s *Server) Serve(l Listener) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		_ = l.Close()
		return ErrClosed
	}
	s.listeners[l] = struct{}{}
	s.mu.Unlock()
	for {
		t, err := l.Accept()
		if err != nil {
			s.mu.Lock()
			delete(s.listeners, l)
			closing := s.closing
			s.mu.Unlock()
			if closing && errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("tunnel: accept: %w", err)
		}
		s.begin(t)
	}
}

// begin serves one transport in a goroutine.
func (s *Server) begin(t Transport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		t.Abort()
		return
	}
	if len(s.handshakes) >= s.c.MaxHandshakes {
		// Honest clients are through within a few round trips: the oldest is the likeliest stranger.
		s.handshakes[0].Abort()
		s.handshakes = s.handshakes[1:]
	}
	s.handshakes = append(s.handshakes, t)
	s.tasks.Go(func() { s.serve(t) })
}

// serve makes a transport a session and serves its streams.
func (s *Server) serve(t Transport) {
	session, err := s.welcome(t)
	s.mu.Lock()
	for i := range s.handshakes {
		if s.handshakes[i] == t {
			s.handshakes = append(s.handshakes[:i:i], s.handshakes[i+1:]...)
			break
		}
	}
	if err != nil {
		s.stats.Failed++
	}
	s.mu.Unlock()
	if err != nil {
		s.c.Log.Debug().Err(err).Stringer("peer", t.RemoteAddr()).Msg("handshake failed")
		return
	}
	if session == nil {
		return // turned away
	}
	session.run()
	s.mu.Lock()
	for i := range s.sessions {
		if s.sessions[i] == session {
			s.sessions = append(s.sessions[:i:i], s.sessions[i+1:]...)
			break
		}
	}
	s.mu.Unlock()
	s.wentIdle()
}

// wentIdle wakes Shutdown.
func (s *Server) wentIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.idle)
	s.idle = make(chan struct{})
}

// Recheck asks the authoriser about every session and ends at once those of keys that are not listed any more.
func (s *Server) Recheck() {
	s.mu.Lock()
	sessions := append([]*serverSession(nil), s.sessions...)
	s.mu.Unlock()
	for _, session := range sessions {
		if _, ok := s.c.Authorise(session.peer.key); !ok {
			s.c.Log.Info().Str("client", session.name).Str("session", session.id).Msg("session ended: client revoked")
			go session.abort()
		}
	}
}

// Shutdown takes no new sessions and streams, waits for the open streams until ctx ends, and ends the sessions.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	for l := range s.listeners {
		_ = l.Close()
	}
	s.mu.Unlock()
	err := s.awaitStreams(ctx)
	s.cancel()
	s.mu.Lock()
	sessions := append([]*serverSession(nil), s.sessions...)
	for _, t := range s.handshakes {
		t.Abort()
	}
	s.mu.Unlock()
	for _, session := range sessions {
		if err != nil {
			s.tasks.Go(session.abort)
		} else {
			s.tasks.Go(session.close)
		}
	}
	s.tasks.Wait()
	return err
}

func (s *Server) awaitStreams(ctx context.Context) error {
	for {
		s.mu.Lock()
		idle, streams := s.idle, 0
		for _, session := range s.sessions {
			streams += session.streams()
		}
		s.mu.Unlock()
		if streams == 0 {
			return nil
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Stats is a snapshot.
func (s *Server) Stats() ServerStats {
	s.mu.Lock()
	st := s.stats
	st.Handshakes = len(s.handshakes)
	sessions := append([]*serverSession(nil), s.sessions...)
	s.mu.Unlock()
	now := time.Now()
	for _, session := range sessions {
		one := session.stats(now)
		st.Sessions = append(st.Sessions, one)
		st.Streams += one.Streams
	}
	return st
}

// newID is under mu.
func (s *Server) newID() string {
	s.lastID++
	return strconv.Itoa(s.lastID)
}
