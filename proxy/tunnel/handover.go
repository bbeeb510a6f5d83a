package tunnel

import (
	"crypto/tls"
	"errors"
	"net"
)

var (
	errLeftOver = errors.New("more inside TLS than hello and welcome")
	// errMoved is a path that has put bytes into the handshake which TLS does not mind (it skips records of
	// change_cipher_spec, RFC 8446 §5): the server would take the first of the streams' bytes for ones it has.
	errMoved = errors.New("a path has changed the length of the handshake")
)

// handOver ends the handshake and gives what the mux runs on; the server calls it after its welcome was written, the
// client after that was read. It is the TLS connection, or the transport itself where that encrypts: there TLS is the
// handshake and the source of the keys, and what travels has a protection of its own, as QUIC has it (RFC 9001 §5). To
// encrypt the same bytes twice would cost 15 % of the throughput.
//
// The peer's first bytes behind its last record may be here already, and are all still in the transport: the guard has
// kept TLS from them. Whatever TLS had left over would be lost, so there must be nothing. From here on it writes nothing
// either, no alert and no close_notify: the transport's own end of stream is as hard to forge.
func handOver(g *guard, conn *tls.Conn) (net.Conn, error) {
	if !g.Encrypts() {
		g.trusted.Store(true)
		return conn, nil
	}
	g.over.Store(true)
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, errTLSOver) { // answered by the guard unless TLS holds bytes
		return nil, errLeftOver
	}
	return g.Transport, nil
}
