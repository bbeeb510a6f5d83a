package mux

import (
	"fmt"
	"io"
	"net"
	"time"
)

// acceptDelay is how long the acknowledgement of a new stream waits for something to travel with. Nobody waits for it
// but the count of streams that the peer may open ahead.
const acceptDelay = 5 * time.Millisecond

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

	sending chan struct{} // one slot, taken through a write to the connection; guards held and late
	held    []byte        // frames that wait for the next one, to go into one write with it
	late    *time.Timer   // ends the wait; nil: none of held may leave alone
}

func newWire(conn net.Conn, s *Session) *wire {
	return &wire{Conn: conn, s: s, off: headerSize, sending: make(chan struct{}, 1)}
}

// SetWriteDeadline does nothing: a write that timed out leaves a part of a frame behind, inside TLS of a record, and
// cannot be mended; and whether the peer lives is judged by the MPTCP layer alone.
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
	if w.body == 0 {
		w.s.whole()
	}
	if err != nil {
		err = cutOff(err)
		w.s.fail(err)
	}
	return n, err
}

// next reads the header of the next frame that is for the library.
func (w *wire) next() error {
	w.s.delivered()
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
		h, skip, err := w.s.arriving(h)
		if err != nil {
			return err
		}
		if !skip {
			appendHeader(w.head[:0], h)
			w.off, w.body = 0, h.body()
			return nil
		}
		w.s.delivered()
		if _, err := io.CopyN(io.Discard, w.Conn, int64(h.body())); err != nil {
			return cutOff(err)
		}
	}
}

// cutOff tells an end inside a frame from the end in order, which is between two.
func cutOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Write puts one frame on the connection.
func (w *wire) Write(frame []byte) (int, error) {
	<-w.s.ready
	h := parseHeader(frame)
	switch {
	case h.kind == kindPing && h.flags.has(flagSYN):
		return len(frame), nil // its answer would wake sleeping radios for a number that nobody uses
	case h.kind == kindWindow && h.flags == flagSYN:
		w.hold(w.s.opens(h), 0) // the request follows at once: Session.Open
		return len(frame), nil
	case h.kind == kindWindow && h.flags == flagACK:
		w.hold(w.s.opens(h), acceptDelay) // the reply follows when the target has answered
		return len(frame), nil
	case h.kind == kindWindow && h.flags == 0:
		return len(frame), nil // see libraryConfig
	}
	if err := w.put(frame); err != nil {
		w.s.fail(err)
		return 0, err
	}
	w.s.departed(h)
	return len(frame), nil
}

// hold keeps a frame for the next one, which follows within the time given; 0: it surely does.
func (w *wire) hold(h header, within time.Duration) {
	w.sending <- struct{}{}
	defer func() { <-w.sending }()
	w.held = appendHeader(w.held, h)
	if within > 0 && w.late == nil {
		w.late = time.AfterFunc(within, w.release)
	}
}

// release writes what was held for too long, and what streams have to tell.
func (w *wire) release() {
	if err := w.put(nil); err != nil {
		w.s.fail(err) // the next write and the reader meet it too
	}
}

// put writes a frame behind those that were held back and what streams have to tell, in one write if it fits.
func (w *wire) put(frame []byte) error {
	w.sending <- struct{}{}
	defer func() { <-w.sending }()
	w.s.writing.Store(true)
	defer w.s.writing.Store(false)
	if w.late != nil {
		w.late.Stop()
		w.late = nil
	}
	w.held = w.s.appendNotices(w.held)
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
	if len(frame) == 0 {
		return nil
	}
	_, err := w.Conn.Write(frame)
	return err
}
