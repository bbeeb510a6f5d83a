package nonblock

import (
	"net"
	"syscall"
)

// Conn is a connection whose small writes the scheduler does not hear of. One goroutine may write at a time; everything
// else is the connection's own.
type Conn struct {
	net.Conn
	raw syscall.RawConn // nil: every write is an ordinary one
	try func(fd uintptr)
	b   []byte // for try
	n   int    // bytes that try has written
}

// Wrap makes a Conn of c. What is not a TCP connection is written to in the ordinary way.
func Wrap(c net.Conn) *Conn {
	w := &Conn{Conn: c}
	if tcp, ok := c.(*net.TCPConn); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			w.raw, w.try = raw, w.write
		}
	}
	return w
}

// Write writes all of b, as net.Conn does.
func (w *Conn) Write(b []byte) (int, error) {
	done := 0
	if w.raw != nil && len(b) <= Small {
		w.b, w.n = b, 0
		if w.raw.Control(w.try) == nil {
			done = w.n
		}
		w.b = nil
	}
	if done == len(b) {
		return done, nil
	}
	n, err := w.Conn.Write(b[done:]) // waits, and meets the error that there was
	return done + n, err
}

func (w *Conn) write(fd uintptr) { w.n = tryWrite(fd, w.b) }
