package plain

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"hawser/transport"
)

// ErrAgain says that a socket has nothing to give or takes nothing now: wait.
var ErrAgain = errors.New("plain: socket not ready")

// Socket is the carrier's edge to TCP: one connected socket. The kernel's is made by this package, an in-memory twin by
// package plaintest.
//
// TryRead and WaitReadable belong to one goroutine, TryWrite and the other calls without
// "wait" to another; WaitWritable to a third that runs beside both. Close and Reset may be called from any goroutine,
// more than once, and wake whoever waits.
type Socket interface {
	// TryRead reads what is there; ErrAgain when nothing is; io.EOF after the peer's half-close.
	TryRead(b []byte) (int, error)
	// WaitReadable returns when TryRead would not say ErrAgain, or with the error of Close or of the read deadline.
	WaitReadable() error
	// SetReadTimeout bounds WaitReadable (os.ErrDeadlineExceeded) from now on; 0: no bound; any goroutine.
	SetReadTimeout(d time.Duration) error

	// TryWrite takes a prefix of bufs, as one batch; ErrAgain when it is empty. The memory is free again on return.
	TryWrite(bufs [][]byte) (int, error)
	// WaitWritable returns when there is space and fewer bytes are unsent than SetLowat allows.
	WaitWritable() error
	// Unsent is the number of bytes taken and not yet given to the network; 0 when not known.
	Unsent() int
	// SetLowat sets the number of unsent bytes below which the socket counts as writable.
	SetLowat(n int)
	// SetPacing caps the rate of sending, bytes/s; 0: no cap.
	SetPacing(rate uint64) error
	// Info is what TCP knows of the connection; zero values where the system does not tell.
	Info() Info

	// CloseWrite half-closes after everything that was taken.
	CloseWrite() error
	// Close ends the connection; what was taken is still sent.
	Close() error
	// Reset ends the connection and drops what was not sent; the peer sees a reset.
	Reset() error

	LocalAddr() netip.AddrPort
	RemoteAddr() netip.AddrPort
	// Congestion is the name of the congestion control in force; empty: not known.
	Congestion() string
}

// Info is the local system's view of a TCP connection (TCP_INFO).
type Info struct {
	Cwnd        int // bytes
	RTT         time.Duration
	Sacked      int    // bytes that the peer's system has selectively acknowledged beyond a hole
	Arrived     uint64 // bytes that the peer's system has acknowledged in any way since the begin; 0: not known
	Retransmits uint64 // segments
	Segments    uint64
}

// Dialer makes connected sockets.
type Dialer interface {
	// Dial connects over p; the error says what to do.
	Dial(ctx context.Context, p transport.Path) (Socket, error)
}

// SocketListener yields the sockets that peers have connected.
type SocketListener interface {
	// Accept waits for the next one; net.ErrClosed after Close. Other errors are temporary.
	Accept() (Socket, error)
	Close() error
	Addr() netip.AddrPort
}
