package tunnel

import (
	"context"
	"net"
	"time"

	"hawser/proxy/tunnel/mux"
)

// Transport is what a session runs on: one multipath connection.
type Transport interface {
	net.Conn
	// CloseWrite ends our direction in order.
	CloseWrite() error
	// Bind is called with a secret exported from TLS that binds joins and seals what the carriers say (docs/protocol.md
	// §1.3, §1.6), by ChaCha20-Poly1305 or AES-128-GCM as TLS does: on a client before the hello, on a server before
	// Authenticate.
	Bind(secret []byte, chaCha bool)
	// Authenticate is called when both ends have proved who they are, on a server before the welcome is sent: joins may
	// begin. group names the peer's process; initial is the address id of the first subflow's uplink; survive is how long
	// to outlive the last subflow. The error says that the connection has ended.
	Authenticate(group string, initial uint8, survive time.Duration) error
	// Encrypts reports whether nobody on a path can read or alter what is written after Bind and Authenticate. Both ends
	// report the same.
	Encrypts() bool
	// InitialID is, on a client, the address id of the first subflow's uplink.
	InitialID() uint8
	// Abort ends the connection now, at both ends.
	Abort()
	// Done is closed when the connection has ended.
	Done() <-chan struct{}
	// Err is why it ended.
	Err() error
	// Waiting tells that the connection lives and that none of its subflows works now.
	Waiting() bool
	// Backlog is how many bytes were written and not yet given to a subflow.
	Backlog() int
	// Rate is what the uplinks deliver together, bytes/s; 0: not known.
	Rate() int
}

// Dialer makes transports to the server.
type Dialer interface {
	Dial(ctx context.Context) (Transport, error)
}

// Listener yields the transports that clients make.
type Listener interface {
	// Accept waits for the next one; net.ErrClosed after Close.
	Accept() (Transport, error)
	Close() error
	Addr() net.Addr
}

// Budget is the process's hard limit on receive memory; the windows of all streams are charged to it.
type Budget = mux.Budget
