// Package tunnel carries streams between client and server: TLS 1.3 with pinned keys inside a multipath connection, a
// mux, an opening header on each stream, and on the client a small pool of such sessions.
//
//	Pool.OpenStream ─► session ─► mux ─► (TLS) ─► Transport   ≈   Transport ─► (TLS) ─► mux ─► Server ─► Handler
//
// The mux runs inside TLS, or directly on a Transport that encrypts.
//
// # TLS
//
// Both ends hold one Ed25519 key and pin the other's, as in WireGuard; the certificates around the keys are made in
// memory at each start and say nothing. VerifyConnection compares the key, because VerifyPeerCertificate is not called
// for every connection. The client's check runs before it sends its own certificate. The server completes TLS with any
// key and says in the welcome that it is not listed: in TLS 1.3 an alert after the client's last message would reach a
// program that believes itself connected. Session tickets are off, so a revoked key has nothing to come back with. The
// secret that binds joins is exported only after both ends have proved their keys.
//
// A transport that encrypts does so with keys from this TLS session, as QUIC's packets are protected (RFC 9001). Over
// it TLS ends with the hello of the client and the welcome of the server, and the mux follows directly: no byte is
// encrypted twice. There is no close_notify then; the transport's end of stream is authenticated. A client that is
// turned away stays in TLS until the end, as everybody does over a transport that does not encrypt.
//
// No deadline is left on the transport after the handshake: a write that timed out, and left a part of a TLS record or
// of a frame behind, cannot be mended, and whether the peer lives is judged by the MPTCP layer alone.
//
// # Mux
//
// Package mux says which library and why. One frame is one write to the transport, and one TLS record where TLS is
// between; above the transport wait at most two frames. A byte is copied three times between an application's socket
// and an uplink: into the relay's buffer, into the frame, and into the connection's send buffer; a fourth time where TLS
// encrypts it into the record.
//
// Through TLS over loopback TCP on two busy cores, both ends in one process, one stream carries 4.3–7.0 Gbit/s (the bare library in
// the same minutes: 3.3–8.1), and 11,400 streams a second are opened, exchange 256 bytes and end. An idle stream costs
// 19.8 kB, both ends and five waiting goroutines together, with 5,000 open; 16 kB after it has moved 1 MB each way.
//
// # Pool
//
// Small requests and bulk are kept apart: what is in one session arrives in one order, so a request behind bulk waits
// for the slowest uplink. Whether a stream will be bulk is not known when it is opened, and it cannot move later; so
//
//   - new streams go to the oldest session that is free of bulk, and bulk that begins there makes one session busy and
//     not all of them;
//   - while a session is busy, two others are kept free of bulk: one for the requests to come, and one that takes its
//     place at once when bulk begins there;
//   - targets whose streams lately became bulk are remembered, and further streams to them go to the busy session with
//     the least load. Without that each of many downloads over connections of their own would take a session free of
//     bulk, until there is none left.
//
// Beside 20 downloads over 100 Mbit/s 8 ms and 30 Mbit/s 30 ms a small request takes 1.3–1.6 times as long as idle, 1.9
// times at the 99th percentile; when the downloads spread over all sessions it is 2.4–12 and 12–93 times.
//
// Sessions are replaced after 64 GB or 24 h: new streams go elsewhere, and the old session ends with its last stream.
//
// A stream that is opened while no uplink works waits for 10 s. One whose session ends before the server has answered
// is opened again on another, since nothing of the application was sent.
//
// # Limits
//
// Before the welcome each end accepts 64 kB and waits 10 s. A server keeps a bounded number of peers that have not
// proved who they are, and when another comes the oldest gives way: honest clients are through after some round trips.
// Sessions for each client and streams for each session are limited; what is refused is told why.
package tunnel
