package mux

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// minPing is the shortest round trip that the library is told. It lets a window grow only when half of it was used up
// within four round trips, so this is growHorizon; the exact rule is account.grow.
const minPing = growHorizon / 4

// wire stands between the library and the connection below. It sees every frame, both ways, and so knows what the
// library does not tell: how much each stream may send, how much it holds unread, which frames have left.
//
// Read is called by the library's receiving goroutine alone, Write by its sending goroutine alone.
type wire struct {
	net.Conn
	s *Session

	// Read
	head [headerSize]byte
	off  int // bytes of head that the library has
	body int // bytes of the frame that are still to come

	// Write
	update [headerSize]byte // a window update in place of the library's
	held   []byte           // opening frames that wait for the request behind them

	ping   atomic.Uint32 // id of the library's ping
	pingAt atomic.Int64  // when it was sent, ns since the session began; 0: none outstanding
}

func newWire(conn net.Conn, s *Session) *wire {
	return &wire{Conn: conn, s: s, off: headerSize}
}

// SetWriteDeadline does nothing: a write that timed out inside TLS cannot be mended, and whether the peer lives is
// judged by the MPTCP layer alone.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline does nothing, see SetWriteDeadline.
func (w *wire) SetDeadline(time.Time) error { return nil }

// Read hands the library whole frames, in pieces as it asks for them, without those that must not reach it.
func (w *wire) Read(p []byte) (int, error) {
	<-w.s.ready
	if w.off == headerSize && w.body == 0 {
		if err := w.next(); err != nil {
			w.s.fail(err)
			return 0, err
		}
	}
	if w.off < headerSize {
		n := copy(p, w.head[w.off:])
		w.off += n
		return n, nil
	}
	n, err := w.Conn.Read(p[:min(len(p), w.body)])
	w.body -= n
	if err != nil {
		w.s.fail(err)
	}
	return n, err
}

// next reads the header of the next frame that is for the library.
func (w *wire) next() error {
	if w.answerPing() {
		return nil
	}
	for {
		if _, err := io.ReadFull(w.Conn, w.head[:]); err != nil {
			return err
		}
		h := parseHeader(w.head[:])
		if h.version != 0 {
			return fmt.Errorf("mux: %w: a frame of version %d, 0 is spoken", ErrProtocol, h.version)
		}
		if h.body() > payloadSize {
			return fmt.Errorf("mux: %w: a frame of %d bytes, at most %d are allowed", ErrProtocol, h.body(), payloadSize)
		}
		skip, err := w.s.arriving(h)
		if err != nil {
			return err
		}
		if !skip {
			w.off, w.body = 0, h.body()
			return nil
		}
		if _, err := io.CopyN(io.Discard, w.Conn, int64(h.body())); err != nil {
			return err
		}
	}
}

// answerPing makes up the answer to the library's one ping. On the wire it would wake sleeping radios for a number that
// account.grow does not use.
func (w *wire) answerPing() bool {
	at := w.pingAt.Load()
	if at == 0 || time.Since(w.s.began)-time.Duration(at) < minPing {
		return false
	}
	w.pingAt.Store(0)
	appendHeader(w.head[:0], header{kind: kindPing, flags: flagACK, length: w.ping.Load()})
	w.off, w.body = 0, 0
	return true
}

// Write puts one frame on the connection.
func (w *wire) Write(frame []byte) (int, error) {
	<-w.s.ready
	h := parseHeader(frame)
	switch {
	case h.kind == kindPing && h.flags.has(flagSYN):
		w.ping.Store(h.length)
		w.pingAt.Store(max(1, int64(time.Since(w.s.began))))
		return len(frame), nil
	case h.kind == kindWindow && h.flags == flagSYN && h.length == 0:
		// The request follows at once (Session.Open) and goes into the same TLS record.
		w.held = append(w.held, frame...)
		return len(frame), nil
	}
	out := frame
	if sent := w.s.departing(h); sent != h {
		out = appendHeader(w.update[:0], sent)
	}
	if err := w.put(out); err != nil {
		w.s.fail(err)
		return 0, err
	}
	w.s.departed(h)
	return len(frame), nil
}

// put writes a frame behind the opening frames that were held back, in one record if it fits.
func (w *wire) put(frame []byte) error {
	w.s.writing.Store(true)
	defer w.s.writing.Store(false)
	if len(w.held) > 0 {
		fits := len(w.held)+len(frame) <= frameSize
		if fits {
			w.held = append(w.held, frame...)
		}
		_, err := w.Conn.Write(w.held)
		w.held = w.held[:0]
		if err != nil || fits {
			return err
		}
	}
	_, err := w.Conn.Write(frame)
	return err
}
