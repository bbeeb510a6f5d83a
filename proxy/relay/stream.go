package relay

import "net"

// Stream is the tunnel's side of a pair: one stream of a session.
//
// A stream may offer one of two methods besides, so that it needs no buffer of ours while it is idle:
//
//	WaitReadable() error                   // returns when Read would not wait: bytes, EOF, reset or closed
//	WriteTo(w io.Writer) (int64, error)    // io.WriterTo: hands out its own buffers; nil at EOF
//
// WaitReadable is preferred when both are there. Read should fill what it is given as far as it can without waiting.
//
// A third one lets a pair notice a reset after the peer's CloseWrite, when nobody reads from the stream any more:
//
//	OnEnd(f func())                        // calls f when the stream is reset or lost, at once if it was already
type Stream interface {
	// Read gives io.EOF after the peer's CloseWrite, and another error after a reset.
	net.Conn
	// CloseWrite ends the direction to the peer in order; the other one goes on.
	CloseWrite() error
	// Reset ends both directions at once; the peer's reads and writes fail. It never blocks for long, may be called
	// from any goroutine and more than once, and wakes blocked calls.
	Reset()
}

// waiter is the optional method of a Stream that tells when a buffer is worth taking.
type waiter interface{ WaitReadable() error }

// ender is the optional method of a Stream that tells of a reset.
type ender interface{ OnEnd(f func()) }
