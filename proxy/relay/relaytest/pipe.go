// Package relaytest is an in-memory twin of the tunnel's streams, for tests: two ends joined by two bounded buffers,
// with half-close, reset, deadlines and WaitReadable. An idle stream holds no buffer.
package relaytest

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Window is how many unread bytes a direction holds before Write blocks.
const Window = 256 << 10

// ErrReset is what Read and Write return after either end called Reset.
var ErrReset = errors.New("relaytest: stream reset")

// Stream is one end. It satisfies relay.Stream.
type Stream struct {
	in, out *half
	peer    *Stream
	local   net.TCPAddr
}

// Pipe makes two joined ends.
func Pipe() (a, b *Stream) {
	ab, ba := newHalf(), newHalf()
	a = &Stream{in: ba, out: ab}
	b = &Stream{in: ab, out: ba}
	a.peer, b.peer = b, a
	return a, b
}

// half is one direction. Everything is guarded by mu.
type half struct {
	mu      sync.Mutex
	changed sync.Cond
	buf     []byte
	eof     bool
	closed  bool // the reader has gone: reads fail
	reset   bool
	onEnd   func() // of the reader
	read    deadline
	write   deadline
}

type deadline struct {
	timer  *time.Timer
	passed bool
}

func newHalf() *half {
	h := &half{}
	h.changed.L = &h.mu
	return h
}

// Read takes what is there; it waits for at least one byte.
func (s *Stream) Read(b []byte) (int, error) {
	h := s.in
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.waitReadable(); err != nil {
		return 0, err
	}
	if len(h.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(b, h.buf)
	if h.buf = h.buf[n:]; len(h.buf) == 0 {
		h.buf = nil
	}
	h.changed.Broadcast()
	return n, nil
}

// WaitReadable returns when Read would not wait.
func (s *Stream) WaitReadable() error {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	return s.in.waitReadable()
}

// waitReadable returns nil when there are bytes or the end. A reset is seen after the bytes that came before it.
func (h *half) waitReadable() error {
	for len(h.buf) == 0 && !h.eof {
		switch {
		case h.reset:
			return ErrReset
		case h.closed:
			return net.ErrClosed
		case h.read.passed:
			return os.ErrDeadlineExceeded
		}
		h.changed.Wait()
	}
	return nil
}

// Write blocks while the window is full.
func (s *Stream) Write(b []byte) (n int, err error) {
	h := s.out
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(b) > 0 {
		for len(h.buf) >= Window && !h.reset && !h.eof && !h.write.passed {
			h.changed.Wait()
		}
		switch {
		case h.reset:
			return n, ErrReset
		case h.eof:
			return n, net.ErrClosed
		case h.write.passed:
			return n, os.ErrDeadlineExceeded
		}
		k := min(len(b), Window-len(h.buf))
		h.buf = append(h.buf, b[:k]...)
		b, n = b[k:], n+k
		h.changed.Broadcast()
	}
	return n, nil
}

// WaitFull returns when the peer's writes to this end block.
func (s *Stream) WaitFull() {
	h := s.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.buf) < Window {
		h.changed.Wait()
	}
}

// CloseWrite gives the peer EOF after what was written.
func (s *Stream) CloseWrite() error {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if s.out.reset {
		return ErrReset
	}
	s.out.eof = true
	s.out.changed.Broadcast()
	return nil
}

// Reset breaks off both directions; bytes that the peer has not read yet can still be read.
func (s *Stream) Reset() {
	for _, h := range []*half{s.in, s.out} {
		h.mu.Lock()
		first := !h.reset
		h.reset = true
		h.changed.Broadcast()
		end := h.onEnd
		h.mu.Unlock()
		if first && end != nil {
			end()
		}
	}
}

// OnEnd calls f when either end calls Reset, at once if that has happened.
func (s *Stream) OnEnd(f func()) {
	s.in.mu.Lock()
	reset := s.in.reset
	s.in.onEnd = f
	s.in.mu.Unlock()
	if reset {
		f()
	}
}

// Close ends both directions in order; as with a mux, a peer that goes on writing is not told.
func (s *Stream) Close() error {
	_ = s.CloseWrite()
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	s.in.closed = true
	s.in.changed.Broadcast()
	return nil
}

// WasReset tells whether either end has called Reset.
func (s *Stream) WasReset() bool {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	return s.in.reset
}

// SetBound sets what LocalAddr returns at both ends.
func (s *Stream) SetBound(a netip.AddrPort) {
	s.local = *net.TCPAddrFromAddrPort(a)
	s.peer.local = s.local
}

// LocalAddr is a *net.TCPAddr, as the tunnel's: the one that SetBound gave.
func (s *Stream) LocalAddr() net.Addr { return &s.local }

// RemoteAddr is a *net.TCPAddr.
func (s *Stream) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// SetDeadline sets both deadlines.
func (s *Stream) SetDeadline(t time.Time) error {
	_ = s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}

// SetReadDeadline makes reads fail from t on; zero: never.
func (s *Stream) SetReadDeadline(t time.Time) error { return s.in.setDeadline(&s.in.read, t) }

// SetWriteDeadline makes writes fail from t on; zero: never.
func (s *Stream) SetWriteDeadline(t time.Time) error { return s.out.setDeadline(&s.out.write, t) }

func (h *half) setDeadline(d *deadline, t time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.passed = !t.IsZero() && !t.After(time.Now())
	if !t.IsZero() && !d.passed {
		var mine *time.Timer
		mine = time.AfterFunc(time.Until(t), func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if d.timer == mine { // not replaced meanwhile
				d.passed = true
				h.changed.Broadcast()
			}
		})
		d.timer = mine
	}
	h.changed.Broadcast()
	return nil
}
