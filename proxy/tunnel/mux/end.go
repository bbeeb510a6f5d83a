package mux

import (
	"net"
	"time"

	"github.com/libp2p/go-yamux/v5"
)

// This file is how a stream ends: CloseWrite, Close, Reset.

// CloseWrite ends the direction to the peer in order: its Read gives io.EOF after everything that was written. It may
// wait for the session's queue.
func (st *Stream) CloseWrite() error {
	s := st.s
	st.mu.Lock()
	if st.shut {
		st.mu.Unlock()
		return nil
	}
	st.shut = true
	st.wake()
	y := st.y
	st.mu.Unlock()
	st.writer.Lock() // a Write that is under way ends first
	defer st.writer.Unlock()
	s.mu.Lock()
	s.addFins(1)
	s.mu.Unlock()
	err := y.CloseWrite()
	if err != nil {
		s.mu.Lock()
		s.addFins(-1)
		s.mu.Unlock()
	}
	return st.translate(err)
}

// Close gives the stream up. What was written still arrives, in order. A peer that goes on sending, or has sent what was
// not read, is told by a reset, as with TCP. After Read has given io.EOF, Close is the orderly end of both directions.
func (st *Stream) Close() error {
	_ = st.CloseWrite() // fails only when the stream has ended, which is what is wanted
	unread := st.account.hasUnread()
	st.mu.Lock()
	finished := st.eof || st.over || st.orphan || st.removed
	if !finished && unread == 0 {
		st.orphan = true
		st.linger = time.AfterFunc(lingerTime, st.Reset)
	}
	st.mu.Unlock()
	if !finished && unread > 0 {
		st.Reset()
		return nil
	}
	st.account.settle(st.s.windows, st, true)
	return nil
}

// Reset ends both directions at once; what is under way is lost, and the peer's Read and Write give ErrReset.
// It does not wait, and may be called more than once.
func (st *Stream) Reset() {
	st.mu.Lock()
	y, again := st.y, st.removed
	st.removed = true
	st.shut = true
	if st.linger != nil {
		st.linger.Stop()
	}
	st.mu.Unlock()
	st.account.settle(st.s.windows, st, true)
	if again {
		return
	}
	st.die(ErrReset)
	if y != nil { // otherwise Accept does it
		go func(y *yamux.Stream) { _ = y.Reset() }(y)
	}
}

// LocalAddr is that of the connection below.
func (st *Stream) LocalAddr() net.Addr { return st.s.y.LocalAddr() }

// RemoteAddr is that of the connection below.
func (st *Stream) RemoteAddr() net.Addr { return st.s.y.RemoteAddr() }

// SetDeadline sets both deadlines.
func (st *Stream) SetDeadline(t time.Time) error {
	_ = st.SetReadDeadline(t)
	return st.SetWriteDeadline(t)
}

// SetReadDeadline is the moment at which Read gives os.ErrDeadlineExceeded; zero: never.
func (st *Stream) SetReadDeadline(t time.Time) error { return st.y.SetReadDeadline(t) }

// SetWriteDeadline is the moment at which Write gives os.ErrDeadlineExceeded; zero: never.
func (st *Stream) SetWriteDeadline(t time.Time) error {
	st.writeBy.set(t)
	return st.y.SetWriteDeadline(t)
}
