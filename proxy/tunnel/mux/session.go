package mux

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-yamux/v5"
)

const (
	// backlog is how many streams may be opened and not yet taken by the other side's Accept.
	backlog = 1024
	// streamCost is reserved from the budget for every stream: what an idle one takes of a program's resident memory
	// (measured with 3,000 of them: 14 kB), heap and stacks of everything that serves it, sockets of Go included.
	streamCost = 14 << 10
	// never is longer than any session lives: it switches off the library's own timers.
	never = 10 * 365 * 24 * time.Hour
)

// Config of a Session.
type Config struct {
	Client     bool      // opens streams; the other side accepts
	MaxStreams int       // accepted at once; further ones are reset. 0: 65,536
	MaxWindow  int       // bytes, how far a stream's window grows; 0: DefaultMaxWindow, less than 256 kB: 256 kB
	Windows    *Windows  // nil: an account of its own without limit
	OnData     func(int) // called with the bytes of application data that each frame moved, either way; must not block
	OnIdle     func()    // called when the last stream has ended; must not block
}

// Session is many streams over one connection. Its methods may be called from any goroutine.
type Session struct {
	client  bool
	windows *Windows
	onData  func(int)
	onIdle  func()
	ready   chan struct{} // closed when y is set: the library's goroutines start before New has it
	y       *yamux.Session
	wire    *wire
	gate    *gate
	writing atomic.Bool   // a frame is being written to the connection
	opening chan struct{} // one slot: the library opens one stream at a time, so that its id is known before
	unacked chan struct{} // streams opened and not yet accepted by the peer
	notices notices

	maxWindow int     // bytes
	granted   *Stream // the stream whose window update the library is being given, and its bytes; receiving goroutine
	grant     int
	coming    *Stream // the stream whose frame has not yet arrived whole; receiving goroutine

	mu       sync.Mutex
	streams  map[uint32]*Stream
	newborn  *Stream // made, and not yet known to the library; client: owner of opening, server: receiving goroutine
	nextID   uint32  // client
	err      error   // the first one of the connection below
	fins     int     // queued and not yet written
	finsDone chan struct{}
}

// New begins a session on conn, which it closes in the end.
func New(conn net.Conn, c Config) (*Session, error) {
	s := &Session{
		client:  c.Client,
		windows: c.Windows,
		onData:  c.OnData,
		onIdle:  c.OnIdle,
		ready:   make(chan struct{}),
		gate:    newGate(),
		opening: make(chan struct{}, 1),
		unacked: make(chan struct{}, backlog),
		streams: make(map[uint32]*Stream),
		nextID:  1,
	}
	if s.windows == nil {
		s.windows = NewWindows(nil, 0)
	}
	if s.onData == nil {
		s.onData = func(int) {}
	}
	if s.onIdle == nil {
		s.onIdle = func() {}
	}
	role := yamux.Server
	if c.Client {
		role = yamux.Client
	}
	s.wire = newWire(conn, s)
	s.maxWindow = DefaultMaxWindow
	if c.MaxWindow > 0 {
		s.maxWindow = max(c.MaxWindow, initialWindow)
	}
	y, err := role(s.wire, libraryConfig(c, s.maxWindow), s.newSpan)
	if err != nil {
		return nil, fmt.Errorf("mux: %w", err)
	}
	s.y = y
	close(s.ready)
	return s, nil
}

// libraryConfig switches off what the shell does itself. The windows of the library are so large that its own updates,
// which leave when half a window has been read, come before the peer could be in want of them; they never leave.
func libraryConfig(c Config, maxWindow int) *yamux.Config {
	y := yamux.DefaultConfig()
	y.AcceptBacklog = backlog
	y.EnableKeepAlive = false
	y.MeasureRTTInterval = never
	y.ConnectionWriteTimeout = never
	y.MaxMessageSize = frameSize
	y.ReadBufSize = 0 // the connection below holds what has arrived: TLS a record, a transport all
	y.LogOutput = io.Discard
	y.MaxIncomingStreams = 1 << 16
	if c.Client {
		y.MaxIncomingStreams = 0 // only clients open streams
	} else if c.MaxStreams > 0 {
		y.MaxIncomingStreams = uint32(c.MaxStreams)
	}
	y.InitialStreamWindowSize = uint32(2 * maxWindow)
	y.MaxStreamWindowSize = y.InitialStreamWindowSize
	return y
}

// Open begins a stream whose first bytes are first; if they fit into minWindow (4 kB) they leave with the opening and
// without waiting for the peer. It waits only while the peer has very many streams to accept.
func (s *Session) Open(ctx context.Context, first []byte) (*Stream, error) {
	if !s.windows.admit() {
		return nil, fmt.Errorf("mux: opening a stream: %w", ErrMemory)
	}
	select {
	case s.unacked <- struct{}{}:
	case <-ctx.Done():
		s.windows.dismiss()
		return nil, ctx.Err()
	case <-s.Done():
		s.windows.dismiss()
		return nil, s.ended()
	}
	st, err := s.register(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = st.SetWriteDeadline(time.Unix(1, 0)) })
	_, err = st.writeUntil(ctx, first)
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		st.Reset()
		return nil, err
	}
	return st, nil
}

// unopened gives back what Open took for a stream that never came to be.
func (s *Session) unopened() {
	<-s.unacked
	s.windows.dismiss()
}

// register makes the stream known to both sides. The library may block while nothing leaves (no uplink works), so then
// it is asked from a goroutine of its own, and the caller goes when its context ends.
func (s *Session) register(ctx context.Context) (*Stream, error) {
	select {
	case s.opening <- struct{}{}:
	case <-ctx.Done():
		s.unopened()
		return nil, ctx.Err()
	case <-s.Done():
		s.unopened()
		return nil, s.ended()
	}
	if !s.writing.Load() {
		return s.openOne()
	}
	type result struct {
		st  *Stream
		err error
	}
	done := make(chan result, 1)
	go func() {
		st, err := s.openOne()
		done <- result{st, err}
	}()
	select {
	case r := <-done:
		return r.st, r.err
	case <-ctx.Done():
		go func() {
			if r := <-done; r.st != nil {
				r.st.Reset()
			}
		}()
		return nil, ctx.Err()
	}
}

// openOne asks the library for a stream and then gives the opening slot back.
func (s *Session) openOne() (*Stream, error) {
	defer func() { <-s.opening }()
	y, err := s.y.OpenStream(context.Background())
	s.mu.Lock()
	st := s.newborn
	s.newborn = nil
	s.mu.Unlock()
	if err != nil {
		if st == nil {
			s.unopened()
		}
		return nil, s.ended()
	}
	if st == nil || st.id != y.StreamID() {
		panic("BUG: mux: the library's stream ids are not consecutive")
	}
	st.setLibrary(y)
	return st, nil
}

// Accept waits for the next stream that the peer opens.
func (s *Session) Accept() (*Stream, error) {
	for {
		y, err := s.y.AcceptStream()
		if err != nil {
			return nil, s.ended()
		}
		s.mu.Lock()
		st := s.streams[y.StreamID()]
		s.mu.Unlock()
		if st == nil || !st.setLibrary(y) { // ended before it was taken
			_ = y.Reset()
			continue
		}
		return st, nil
	}
}

// Streams is how many streams are open.
func (s *Session) Streams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.streams)
}

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.y.CloseChan() }

// Err is why the session ended; nil before and after Close.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *Session) ended() error {
	if err := s.Err(); err != nil {
		return fmt.Errorf("mux: %w: %w", ErrEnded, err)
	}
	return fmt.Errorf("mux: %w", ErrEnded)
}

// fail notes the first error of the connection below.
func (s *Session) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && !isClosed(s.Done()) {
		s.err = err
	}
}

// Flush waits until the ends of streams that have been closed for writing are with the connection below: Close would
// drop those that are queued.
func (s *Session) Flush(ctx context.Context) error {
	s.mu.Lock()
	if s.fins == 0 {
		s.mu.Unlock()
		return nil
	}
	if s.finsDone == nil {
		s.finsDone = make(chan struct{})
	}
	done := s.finsDone
	s.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-s.Done():
		return s.ended()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the session, its streams and the connection below, now.
func (s *Session) Close() error { return s.y.Close() }
