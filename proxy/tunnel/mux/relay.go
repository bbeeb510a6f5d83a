package mux

import (
	"io"
	"sync"
	"syscall"
)

// relaySize is the size of a relay buffer: four frames, one system call at the socket.
const relaySize = 4 * payloadSize

// relayBuffers hold no goroutine, channel or timer, so that they may be shared between synctest bubbles.
var relayBuffers = sync.Pool{New: func() any { return new([relaySize]byte) }}

// WriteTo copies to w until the peer's orderly end (nil) or an error. A buffer is held only while there are bytes: an
// idle stream costs none.
func (st *Stream) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		if _, err := st.Read(nil); err != nil {
			if err == io.EOF {
				err = nil
			}
			return total, err
		}
		n, err := st.pour(w)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
}

// pour moves what can be read now, at most one buffer, to w.
func (st *Stream) pour(w io.Writer) (int, error) {
	buf := relayBuffers.Get().(*[relaySize]byte)
	defer relayBuffers.Put(buf)
	n := 0
	for n < len(buf) && (n == 0 || st.account.hasUnread() > 0) {
		k, err := st.Read(buf[n:])
		n += k
		if err != nil {
			break // it will be there again at the next Read
		}
	}
	return w.Write(buf[:n])
}

// ReadFrom copies from r until io.EOF (nil) or an error; it does not close the stream for writing. When r is a socket,
// a buffer is held only while there are bytes (on Windows: always).
func (st *Stream) ReadFrom(r io.Reader) (int64, error) {
	fill := func(h *holder) (int, error) { return r.Read(h.take()) }
	if c, ok := r.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			if waiting := waitingFiller(raw); waiting != nil {
				fill = waiting
			}
		}
	}
	return st.readFrom(fill)
}

// filler reads once, into the buffer that the holder gives; it takes it when there may be something to read.
type filler func(h *holder) (int, error)

// holder has a relay buffer or none.
type holder struct{ buf *[relaySize]byte }

func (h *holder) take() []byte {
	if h.buf == nil {
		h.buf = relayBuffers.Get().(*[relaySize]byte)
	}
	return h.buf[:]
}

func (h *holder) drop() {
	if h.buf != nil {
		relayBuffers.Put(h.buf)
		h.buf = nil
	}
}

func (st *Stream) readFrom(fill filler) (int64, error) {
	var (
		total int64
		h     holder
	)
	defer h.drop()
	for {
		n, err := fill(&h)
		if n > 0 {
			k, werr := st.Write(h.buf[:n])
			total += int64(k)
			if werr != nil {
				return total, werr
			}
		}
		h.drop()
		switch err {
		case nil:
		case io.EOF:
			return total, nil
		default:
			return total, err
		}
	}
}
