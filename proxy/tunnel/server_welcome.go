package tunnel

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// partTime bounds how long a peer whose handshake has failed is kept so that it can read why.
const partTime = time.Second

// welcome runs the server's side of the handshake; nil without an error: the client was turned away and told why. The
// transport is ended in both cases.
func (s *Server) welcome(t Transport) (*serverSession, error) {
	stop := limitTime(s.ctx, t)
	g := newGuard(t)
	conn := tls.Server(g, s.tls)
	peer, err := readClient(conn)
	if err != nil {
		stop()
		part(t, err)
		return nil, err
	}
	session, verdict := s.admit(t, peer)
	if session == nil {
		s.door.Info().Str("key", Fingerprint(peer.key)).Stringer("peer", t.RemoteAddr()).
			Stringer("status", verdict.Status).Msg("client turned away")
		_, _ = conn.Write(AppendWelcome(nil, verdict)) // the deadline holds; a client that has gone needs no welcome
		stop()
		_ = conn.Close()
		return nil, nil
	}
	if err = bind(t, conn); err == nil {
		err = t.Authenticate(peer.group(), peer.hello.AddressID, verdict.Survive)
	}
	if err == nil {
		verdict.Heard = uint32(g.heard())
		_, err = conn.Write(AppendWelcome(nil, verdict))
	}
	var inside net.Conn
	if err == nil {
		inside, err = handOver(g, conn)
	}
	if !stop() && err == nil {
		err = s.ctx.Err()
	}
	if err == nil {
		err = session.start(inside)
	}
	if err != nil {
		s.drop(session)
		t.Abort()
		return nil, explainHandshake(err)
	}
	if _, ok := s.c.Authorise(peer.key); !ok { // revoked while the handshake ran, so that Recheck may have missed it
		go session.abort()
	}
	return session, nil
}

// part ends a transport whose handshake has failed, after the peer has had a moment to read the TLS alert that says why.
// A peer that has kept silent until the time was over gets none.
func part(t Transport, why error) {
	if !errors.Is(why, os.ErrDeadlineExceeded) && t.CloseWrite() == nil {
		_ = t.SetDeadline(time.Now().Add(partTime)) // fails only on a dead transport, as the reads then do
		_, _ = io.CopyN(io.Discard, t, strangerBytes)
	}
	t.Abort()
}

// admit judges a client and takes a place for its session. Nil: the welcome says why not.
func (s *Server) admit(t Transport, peer client) (*serverSession, Welcome) {
	w := Welcome{Version: Version, Software: s.c.Software}
	s.mu.Lock()
	defer s.mu.Unlock()
	name, listed := s.c.Authorise(peer.key)
	switch {
	case !listed: // first: a stranger learns nothing else
		w = Welcome{Status: StatusUnknownKey, Version: Version}
		w.Text = "the key " + Fingerprint(peer.key) + " is not in the server's list"
	case peer.hello.Version != Version:
		w.Status = StatusVersion
		w.Text = fmt.Sprintf("the client speaks version %d, the server %d", peer.hello.Version, Version)
	case s.closing:
		w.Status = StatusShuttingDown
	case len(s.sessions) >= s.c.MaxSessions:
		w.Status = StatusFull
		w.Text = fmt.Sprintf("the server has %d sessions", len(s.sessions))
	case s.sessionsOf(peer) >= s.c.MaxSessionsPerClient:
		w.Status = StatusFull
		w.Text = fmt.Sprintf("this client has %d sessions", s.c.MaxSessionsPerClient)
	}
	if w.Status != StatusWelcome {
		s.stats.Refused++
		return nil, w
	}
	w.Streams = uint32(s.c.MaxStreams)
	w.RawPort, w.PlainPort = s.c.RawPort, s.c.PlainPort
	w.Survive = min(peer.hello.Survive, s.c.MaxSurvive)
	s.stats.Accepted++
	session := &serverSession{server: s, id: s.newID(), name: name, peer: peer, transport: t, began: time.Now()}
	s.sessions = append(s.sessions, session)
	return session, w
}

// sessionsOf counts a client's sessions. Under mu.
func (s *Server) sessionsOf(peer client) int {
	n := 0
	for _, session := range s.sessions {
		if session.peer.key.Equal(peer.key) {
			n++
		}
	}
	return n
}

// drop takes out a session that did not start.
func (s *Server) drop(session *serverSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.sessions {
		if s.sessions[i] == session {
			s.sessions = append(s.sessions[:i:i], s.sessions[i+1:]...)
			return
		}
	}
}
