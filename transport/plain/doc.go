// Package plain is the plain carrier: an ordinary kernel TCP connection per subflow that carries MPTCP's signals and
// mappings as records in its byte stream (docs/protocol.md §1). It needs no privilege on any system.
//
// # Shape
//
// Subflow is a machine: the session's loop owns it, it has no lock and reads no clock. Around it is a thin shell of
// helper goroutines that own the blocking side of the Socket:
//
//   - dial: one goroutine, gone once the connection is there;
//   - read: one goroutine for the life of the socket. It waits for readability before it takes a pooled buffer, so that
//     an idle connection holds none; it frames, verifies and parses records, and posts one Input for each read. It is
//     also the one that closes the socket at the very end;
//   - wait: one goroutine, there only while the socket takes no more bytes.
//
// The loop writes by itself and never blocks: one gathered write for each Flush. Received bytes are always drained; the
// reader runs at most a few reads ahead of the loop, which never stops.
//
// # Late scheduling
//
// What the kernel holds unsent can no longer be given to another uplink. So a subflow has room only while the kernel's
// unsent bytes are below a limit (16 kB, on fast paths 640 µs of the measured rate), which is about 32 kB of backlog in
// place of megabytes, without loss of throughput. The kernel's own TCP_NOTSENT_LOWAT is set to twice the limit: Linux
// wakes a poller below half of TCP_NOTSENT_LOWAT, which is then the limit itself, and acknowledgements are still taken
// while data waits. A poller is woken only after poll(2) has said "not writable" or a write has failed; so the waiting
// goroutine asks poll(2) each time before it parks, and no wake-up is lost to the edge-triggered runtime poller.
//
// # The path may end TCP in the middle
//
// Accelerators and transparent proxies acknowledge in the peer's place, so the kernel's view of the path is a hint
// only. What counts are the ACK records of the peer's program (protocol.md §1.4), with one exception: what the kernel
// knows to have arrived beyond a hole in the byte stream, or while a hole in the other direction holds ACK records back
// (State.Beyond), tells the session that the path is not as full as it seems. Of the latter nothing is taken from a
// kernel that is always ahead of the ACK records: TCP ends at a box in the middle. Nothing here judges liveness: there is no
// TCP_USER_TIMEOUT, and kernel keep-alive is minutes long, a backstop against leaked connections.
//
// # The edge
//
// Socket, Dialer and SocketListener are the only view of the operating system; package plaintest implements them in
// memory, in virtual time. Systems without non-blocking gathered writes (Windows) use a Socket with one writing
// goroutine and a bounded copy; the machine does not know.
package plain
