package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"hawser/proxy/relay"
	"hawser/proxy/tunnel/mux"
)

var (
	// ErrNoUplink is wrapped when a stream could not be opened because no uplink has worked for 10 s (SOCKS reply 0x03,
	// HTTP 503).
	ErrNoUplink error = &openError{"no uplink works", relay.CodeNetworkUnreachable}
	// ErrFull is wrapped when all sessions have as many streams as the server allows.
	ErrFull error = &openError{"as many streams are open as the server allows", relay.CodeGeneralFailure}
	// ErrClosed is what a closed pool or server gives.
	ErrClosed = errors.New("tunnel: closed")
)

// openError is a reason for which no stream was opened.
type openError struct {
	text string
	code relay.Code
}

func (e *openError) Error() string { return e.text }

// ReplyCode is the code as SOCKS5 sends it (RFC 1928 §6).
func (e *openError) ReplyCode() byte { return byte(e.code) }

// OpenStream opens a stream to a target and returns when the server has connected, or has not: *ReplyError. The request
// leaves at once, so it takes one round trip and the server's own connect.
//
// Errors that wrap ErrNoUplink come after 10 s without an uplink; *RejectedError and *ServerKeyError say that the server
// will have none of this client.
func (p *Pool) OpenStream(ctx context.Context, t Target) (*Stream, error) {
	request, err := AppendRequest(nil, Request{Command: CommandConnect, Target: t})
	if err != nil {
		return nil, &ReplyError{Code: relay.CodeAddressTypeUnknown, Text: err.Error()}
	}
	began := time.Now()
	for {
		s, err := p.session(ctx, t, began)
		if err != nil {
			return nil, err
		}
		st, err := p.openOn(ctx, s, t, request)
		if err == nil || !errors.Is(err, mux.ErrEnded) {
			return st, err
		}
		// The session ended before the server answered, so no byte of the application has left: try the next one.
		// The same session may be chosen until watch has taken it out, but not for ever.
		<-s.mux.Done()
		p.remove(s)
	}
}

// session waits for a session that takes a stream, and counts the stream in.
func (p *Pool) session(ctx context.Context, t Target, began time.Time) (*clientSession, error) {
	waiting := false
	bulk := p.habits.expectsBulk(t, began)
	defer func() {
		if waiting {
			p.mu.Lock()
			p.demand--
			p.mu.Unlock()
		}
	}()
	for {
		p.mu.Lock()
		now := time.Now()
		if s := p.best(now, bulk); s != nil && !p.closing {
			s.opening.Add(1)
			p.mu.Unlock()
			return s, nil
		}
		if !waiting {
			waiting = true
			p.demand++
			p.wake()
		}
		err := p.hopeless(now, began)
		changed := p.changed
		p.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if err := p.awaitChange(ctx, changed, began); err != nil {
			return nil, err
		}
	}
}

// awaitChange sleeps until sessions come or go, or it is time to look whether one has an uplink again.
func (p *Pool) awaitChange(ctx context.Context, changed <-chan struct{}, began time.Time) error {
	wait := lookAgain
	if left := time.Until(began.Add(giveUpTime)); left > 0 {
		wait = min(wait, left)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// hopeless tells why waiting for a session is of no use. Under mu.
func (p *Pool) hopeless(now, began time.Time) error {
	alive := p.alive()
	full := len(alive) >= p.c.Max
	for _, s := range alive {
		full = full && s.full()
	}
	switch {
	case p.closing:
		return ErrClosed
	case full:
		return fmt.Errorf("tunnel: %w", ErrFull)
	case len(alive) == 0 && p.failure != nil && permanent(p.failure):
		return p.failure
	case now.Sub(began) < giveUpTime || p.c.off.giveUp:
		return nil
	case p.failure != nil:
		return fmt.Errorf("tunnel: %w: %w", ErrNoUplink, p.failure)
	}
	return fmt.Errorf("tunnel: %w", ErrNoUplink)
}

// remove takes out a session that has ended, ahead of its watcher.
func (p *Pool) remove(s *clientSession) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.sessions {
		if p.sessions[i] == s {
			p.sessions = append(p.sessions[:i:i], p.sessions[i+1:]...)
			return
		}
	}
}

// openOn opens a stream on a session that session() has chosen.
func (p *Pool) openOn(ctx context.Context, s *clientSession, t Target, request []byte) (*Stream, error) {
	st, err := s.mux.Open(ctx, request)
	s.opening.Add(-1)
	if err != nil {
		return nil, fmt.Errorf("tunnel: open a stream: %w", err)
	}
	stop := context.AfterFunc(ctx, st.Reset)
	var reply Reply
	if err = p.awaitReply(s, st); err == nil {
		reply, err = ReadReply(st)
	}
	switch {
	case !stop():
		err = ctx.Err()
	case errors.Is(err, mux.ErrReset):
		err = &ReplyError{Code: relay.CodeGeneralFailure, Text: "the server reset the stream"}
	case err == nil && reply.Code != relay.CodeSucceeded:
		err = &ReplyError{Code: reply.Code, Text: reply.Text}
	case err != nil:
		err = fmt.Errorf("tunnel: reply of the server: %w", err)
	}
	if err != nil {
		st.Reset()
		return nil, err
	}
	return &Stream{
		Stream: st, bound: *net.TCPAddrFromAddrPort(reply.Bound), pool: p, session: s, target: t,
	}, nil
}

// awaitReply waits until the server has answered, or the session has had no uplink for giveUpTime. A server that takes
// its time to connect is another matter.
func (p *Pool) awaitReply(s *clientSession, st *mux.Stream) error {
	defer func() { _ = st.SetReadDeadline(time.Time{}) }() // fails only on a stream that has ended
	began := time.Now()
	var dark time.Time // first look that found no uplink
	for wait := giveUpTime / 2; ; wait = lookAgain {
		_ = st.SetReadDeadline(time.Now().Add(wait)) // a stream that has ended says so in WaitReadable
		err := st.WaitReadable()
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		now := time.Now()
		switch {
		case !s.transport.Waiting():
			dark = time.Time{}
		case dark.IsZero():
			dark = now
		}
		if !p.c.off.giveUp && !dark.IsZero() && now.Sub(dark) >= giveUpTime/2 && now.Sub(began) >= giveUpTime {
			return ErrNoUplink
		}
	}
}
