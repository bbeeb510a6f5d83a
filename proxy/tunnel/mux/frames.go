package mux

import (
	"fmt"
	"time"

	"github.com/libp2p/go-yamux/v5"
)

// This file is what the session does with each frame that passes its wire.

// arriving takes note of a frame before the library gets it; skip: the library must not get it. Receiving goroutine.
func (s *Session) arriving(h header) (skip bool, err error) {
	if h.kind != kindData && h.kind != kindWindow {
		return false, nil
	}
	if s.client && h.flags.has(flagSYN) {
		// The library would take it, and ask newSpan for an account that is the client's next stream's.
		return false, fmt.Errorf("mux: %w: the server opens stream %d", ErrProtocol, h.id)
	}
	st := s.lookup(h)
	if st == nil {
		return false, nil // ended here already: the library discards it
	}
	if h.flags.has(flagACK | flagRST) {
		st.acknowledged()
	}
	if h.flags.has(flagRST) {
		st.die(ErrReset)
		return false, nil
	}
	if h.kind == kindWindow {
		st.allow(int(h.length))
		return false, nil
	}
	s.onData(int(h.length))
	if h.length == 0 || st.arrived(int(h.length)) {
		return false, nil
	}
	if h.flags.has(flagSYN) {
		return false, fmt.Errorf("mux: %w for data in a stream's first frame", ErrMemory)
	}
	st.Reset()
	return true, nil
}

// lookup finds the stream of a frame; a frame with SYN makes it.
func (s *Session) lookup(h header) *Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[h.id]
	if st == nil && h.flags.has(flagSYN) && !s.client && h.id%2 == 1 {
		st = newStream(s, h.id)
		st.starved = !s.windows.take(streamCost)
		s.streams[h.id] = st
		s.newborn = st
	}
	return st
}

// departing gives the frame to send in place of one that the library sends; only window updates differ. Sending
// goroutine.
func (s *Session) departing(h header) header {
	if h.kind != kindWindow || h.flags.has(flagSYN|flagFIN|flagRST) {
		return h
	}
	s.mu.Lock()
	st := s.streams[h.id]
	s.mu.Unlock()
	if st != nil {
		h.length = uint32(st.account.grant(int(h.length)))
	}
	return h
}

// departed takes note of a frame that the connection below has taken. Sending goroutine.
func (s *Session) departed(h header) {
	if h.kind == kindData {
		s.gate.leave(int(h.length))
		s.onData(int(h.length))
	}
	if !h.flags.has(flagFIN) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addFins(-1)
}

// addFins counts ends of streams that are queued. Under mu.
func (s *Session) addFins(n int) {
	s.fins += n
	if s.fins == 0 && s.finsDone != nil {
		close(s.finsDone)
		s.finsDone = nil
	}
}

// span is the library's view of a stream's memory: it asks before it makes a stream and before it enlarges a window.
type span struct{ st *Stream }

// newSpan is called by the library for each stream that it makes, before anything else.
func (s *Session) newSpan() (yamux.MemoryManager, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client {
		s.newborn = newStream(s, s.nextID)
		return span{s.newborn}, nil
	}
	st := s.newborn
	s.newborn = nil
	return span{st}, nil // nil: the peer opened the same stream twice, and the library ends the session
}

// ReserveMemory is asked for the initial window with priority 255, which is not counted (see Windows), and for growth.
func (p span) ReserveMemory(size int, prio uint8) error {
	switch {
	case p.st == nil:
		return nil
	case prio == 255:
		if s := p.st.s; s.client {
			s.mu.Lock()
			s.streams[p.st.id] = p.st
			s.nextID += 2
			s.mu.Unlock()
		}
		return nil
	}
	return p.st.account.grow(p.st.s.windows, p.st, size, time.Now())
}

// ReleaseMemory is never called by the library: a span ends whole.
func (p span) ReleaseMemory(int) {}

// Done is called when the stream has ended both ways, once or twice; it may still hold bytes to read.
func (p span) Done() {
	if p.st != nil {
		p.st.s.forget(p.st)
	}
}

// forget removes a stream that has ended.
func (s *Session) forget(st *Stream) {
	s.mu.Lock()
	known := s.streams[st.id] == st
	if known {
		delete(s.streams, st.id)
	}
	idle := len(s.streams) == 0
	s.mu.Unlock()
	if !known {
		return
	}
	st.acknowledged()
	st.ended()
	if idle {
		s.onIdle()
	}
}
