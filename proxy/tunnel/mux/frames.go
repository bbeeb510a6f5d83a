package mux

import (
	"fmt"
	"time"

	"github.com/libp2p/go-yamux/v5"
)

// This file is what the session does with each frame that passes its wire.

// maxGrant is the most that one window update of a peer may allow, bytes.
const maxGrant = 1 << 28

// arriving takes note of a frame and gives it as the library shall get it; skip: not at all. Receiving goroutine.
func (s *Session) arriving(h header) (out header, skip bool, err error) {
	if h.kind != kindData && h.kind != kindWindow {
		return h, false, nil
	}
	if s.client && h.flags.has(flagSYN) {
		// The library would take it, and ask newSpan for an account that is the client's next stream's.
		return h, false, fmt.Errorf("mux: %w: the server opens stream %d", ErrProtocol, h.id)
	}
	st := s.lookup(h)
	if st == nil { // ended here already: the library discards it
		return h, h.flags.has(flagRecall | flagReturn), nil
	}
	if h.flags.has(flagACK | flagRST) {
		st.acknowledged()
	}
	switch {
	case h.flags.has(flagRST):
		st.die(ErrReset)
		return h, false, nil
	case h.kind == kindWindow:
		return s.windowArrives(st, h)
	}
	s.onData(int(h.length))
	if h.length == 0 {
		return h, false, nil
	}
	skip, err = st.arrived(h)
	if !skip && err == nil {
		s.coming = st
	}
	return h, skip, err
}

// whole is called when the last byte of a frame has arrived, before the library has it. Receiving goroutine.
func (s *Session) whole() {
	if s.coming != nil {
		s.coming.account.whole()
		s.coming = nil
	}
}

// windowArrives takes note of a window update and of what the shell has beside.
func (s *Session) windowArrives(st *Stream, h header) (out header, skip bool, err error) {
	switch {
	case h.flags.has(flagRecall):
		st.giveBack()
		return h, true, nil
	case h.flags.has(flagReturn):
		grant, err := st.account.returned(s.windows, st, int(h.length), time.Now())
		st.announce(grant)
		return h, true, err
	}
	if h.length > maxGrant {
		return h, false, fmt.Errorf("mux: %w: a window update of %d bytes", ErrProtocol, h.length)
	}
	// The writer may use it when the library has it, which is before it asks for the next frame.
	s.granted, s.grant = st, int(h.length)
	h.length = uint32(st.libraryShare(int(h.length)))
	return h, h.flags == 0 && h.length == 0, nil
}

// delivered is called when the library has the last frame that arrived. Receiving goroutine.
func (s *Session) delivered() {
	if s.granted != nil {
		s.granted.allow(s.grant)
		s.granted = nil
	}
}

// lookup finds the stream of a frame; a frame with SYN makes it.
func (s *Session) lookup(h header) *Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[h.id]
	if st == nil && h.flags.has(flagSYN) && !s.client && h.id%2 == 1 {
		st = newStream(s, h.id)
		st.account.starved = !s.windows.admit()
		s.streams[h.id] = st
		s.newborn = st
	}
	return st
}

// opens gives the frame with which a stream is opened or accepted: it says how much more than minWindow the peer may
// send. Sending goroutine.
func (s *Session) opens(h header) header {
	h.length = 0
	s.mu.Lock()
	st := s.streams[h.id]
	s.mu.Unlock()
	if st != nil {
		h.length = uint32(st.account.begin(s.windows, st))
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

// ReserveMemory is asked when a stream is about to be: what counts are the windows of the shell, see Windows.
func (p span) ReserveMemory(int, uint8) error {
	if p.st != nil && p.st.s.client {
		s := p.st.s
		s.mu.Lock()
		s.streams[p.st.id] = p.st
		s.nextID += 2
		s.mu.Unlock()
	}
	return nil
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
