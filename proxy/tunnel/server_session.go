package tunnel

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"hawser/proxy/relay"
	"hawser/proxy/tunnel/mux"
)

const (
	// requestTime bounds how long a new stream may keep its request back.
	requestTime = 10 * time.Second
	// refusalTime bounds how long a refused stream is kept so that the client can read why.
	refusalTime = 5 * time.Second
)

// serverSession is one session of a server. All but mux is set before it is shared.
type serverSession struct {
	server    *Server
	id        string
	name      string // of the client
	peer      client
	transport Transport
	began     time.Time
	meter     meter
	mux       atomic.Pointer[mux.Session] // nil until the welcome has been sent
	closing   atomic.Bool
	handlers  atomic.Int32
}

// start runs the mux over what handOver gave.
func (s *serverSession) start(conn net.Conn) error {
	m, err := mux.New(conn, mux.Config{
		MaxStreams: s.server.c.MaxStreams,
		Windows:    s.server.c.Windows,
		MaxWindow:  s.server.c.MaxWindow,
		OnIdle:     func() { go s.server.wentIdle() }, // may be called with locks held
		OnData:     func(n int) { s.meter.add(time.Now(), n) },
	})
	if err != nil {
		return err
	}
	s.mux.Store(m)
	return nil
}

// run serves the session's streams until it ends.
func (s *serverSession) run() {
	log := s.server.c.Log.With().Str("session", s.id).Str("client", s.name).Logger()
	log.Info().Str("software", s.peer.hello.Software).Stringer("peer", s.transport.RemoteAddr()).Msg("session established")
	m := s.mux.Load()
	ctx, cancel := context.WithCancel(s.server.ctx)
	var streams sync.WaitGroup
	for {
		st, err := m.Accept()
		if err != nil {
			break
		}
		streams.Go(func() { s.serve(ctx, st) })
	}
	cancel()
	_ = m.Close() // waits until the session's goroutines have ended
	streams.Wait()
	log.Info().AnErr("cause", s.why()).Msg("session ended")
}

// serve reads a stream's request and hands it on.
func (s *serverSession) serve(ctx context.Context, st *mux.Stream) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	st.OnEnd(cancel)
	in := &Incoming{Stream: st}
	defer func() { _ = in.Close() }() // a handler that has ended the stream already is not disturbed
	defer s.handlers.Add(-1)
	switch {
	case int(s.handlers.Add(1)) > s.server.c.MaxStreams:
		// A client that resets streams faster than connects can be given up.
		in.Refuse(relay.CodeGeneralFailure, "too many streams at once")
		return
	case st.Starved():
		in.Refuse(relay.CodeGeneralFailure, "the server's memory limit is reached")
		return
	case s.server.isClosing():
		in.Refuse(relay.CodeGeneralFailure, "the server is shutting down")
		return
	}
	r, err := in.request()
	var refusal *ReplyError
	switch {
	case errors.As(err, &refusal):
		in.Refuse(refusal.Code, refusal.Text)
	case err != nil:
		in.Reset()
	default:
		s.server.c.Handler(ctx, r, in)
	}
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// Incoming is a stream that a client has opened.
type Incoming struct {
	*mux.Stream
}

// request reads what the client asks for.
func (in *Incoming) request() (Request, error) {
	r := timedReader{in: in}
	defer r.stop()
	return ReadRequest(&r)
}

// timedReader gives a stream requestTime from the first read that has to wait. A request comes whole with its stream's
// first frame as a rule, and then the two timers that a deadline is in the library would be most of the work.
type timedReader struct {
	in    *Incoming
	timed bool
}

func (r *timedReader) Read(b []byte) (int, error) {
	if !r.timed && r.in.Unread() == 0 {
		r.timed = true
		_ = r.in.SetReadDeadline(time.Now().Add(requestTime)) // a stream that has ended says so in Read
	}
	return r.in.Read(b)
}

func (r *timedReader) stop() {
	if r.timed {
		_ = r.in.SetReadDeadline(time.Time{})
	}
}

// Answer tells the client how the request went; after relay.CodeSucceeded the stream carries the application's bytes.
func (in *Incoming) Answer(r Reply) error {
	var buf [3 + 16 + 2 + 1]byte
	_, err := in.Write(AppendReply(buf[:0], r))
	return err
}

// Refuse answers with a failure and ends the stream. The answer must not be overtaken by a reset, so the client gets
// some seconds to hang up.
func (in *Incoming) Refuse(code relay.Code, text string) {
	err := in.Answer(Reply{Code: code, Text: text})
	if err == nil {
		err = in.CloseWrite()
	}
	if err == nil {
		_ = in.SetReadDeadline(time.Now().Add(refusalTime)) // a stream that has ended says so in Read
		_, err = io.CopyN(io.Discard, in, strangerBytes)
	}
	if err != io.EOF {
		in.Reset()
	}
}

// streams is how many are open.
func (s *serverSession) streams() int {
	if m := s.mux.Load(); m != nil {
		return m.Streams()
	}
	return 0
}

// why is the reason of the session's end; nil: the client closed it in order, or we did.
func (s *serverSession) why() error {
	if err := s.transport.Err(); err != nil && err != io.EOF {
		return err
	}
	if err := s.mux.Load().Err(); err != io.EOF {
		return err
	}
	return nil
}

// close ends the session in order, after what is queued.
func (s *serverSession) close() {
	s.closing.Store(true)
	m := s.mux.Load()
	if m == nil {
		s.transport.Abort()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	_ = m.Flush(ctx)
	_ = m.Close()
}

// abort ends the session now.
func (s *serverSession) abort() {
	s.closing.Store(true)
	s.transport.Abort()
	if m := s.mux.Load(); m != nil {
		_ = m.Close()
	}
}

func (s *serverSession) stats(now time.Time) SessionStats {
	total, _ := s.meter.moved()
	st := SessionStats{
		ID: s.id, Client: s.name, State: StateEstablished, Streams: s.streams(), Bytes: total, Rate: s.meter.rate(now),
		Age: now.Sub(s.began), Transport: s.transport,
	}
	switch {
	case s.closing.Load():
		st.State, st.Reason = StateClosing, "closed by the server"
	case s.mux.Load() == nil:
		st.State = StateConnecting
	case s.transport.Waiting():
		st.State, st.Reason = StateWaiting, "no uplink works"
	}
	return st
}
