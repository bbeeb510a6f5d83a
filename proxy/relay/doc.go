// Package relay moves bytes between a local TCP connection (an application's at the client, a target's at the server)
// and a stream of the tunnel, and makes the two look like one TCP connection: a half-close stays a half-close, a reset
// stays a reset, in both directions.
//
// Why not io.Copy twice: it holds a 32 kB buffer for each direction as long as the stream lives, and most streams are
// idle most of the time. Here a 64 kB buffer leaves the pool only when there is something to read: on the socket the
// non-blocking read is tried inside the runtime's own wait (syscall.RawConn), on the stream its WaitReadable or
// WriteTo is used. An idle pair costs two goroutines with small stacks and a few hundred bytes.
//
// Why a half-closed socket is still watched: after the application's FIN nothing more is read from it, and a reset
// that follows (the process died) would be noticed only when something is written. The same holds while an upload is
// blocked by a full window. Where the system can say so (SO_ERROR), the pair asks, and resets the stream.
//
// The reply codes of RFC 1928 §6 live here as well: the egress makes them and the inbound side explains them, and
// this is the ground that both share.
package relay
