// Package tcp is TCP (RFC 9293) as a pure machine: no clock, goroutine, lock, socket or log. A Machine is one
// connection, a Listener makes machines of handshakes. Whoever owns one hands it what arrived (Receive) and the time
// (Advance), takes what is to be sent (Emit, until it says false), what has happened (Poll), and calls again at
// Deadline at the latest. One goroutine owns a machine; nothing in it is safe for use by two.
//
// A turn of the owner:
//
//	for each segment that was read: m.Receive(at, &segment), then give its buffer back
//	m.Advance(now)
//	for { ev, ok := m.Poll(); … }   and m.Next() for what can be read
//	for m.Emit(now, &segment) { append segment.AppendHeaders and segment.Data to the batch }
//	sleep until m.Deadline() or until something comes
//
// Payload is never copied to be sent. Append takes a reference to the sender's memory, Emit hands out slices of it,
// and the memory is released when the peer has acknowledged it. So a batch must be written before the next Receive.
// Received payload goes up by reference as well (Next); what waits is copied where it would keep too much memory from
// being used, so that a window never costs more than 5/4 of its size, a packet's buffer and 32 kB besides.
//
// A segment that Emit fills may be a super-segment: up to 62 kB of payload, Segment.MSS of it in each packet. What one
// Emit returned is one span of the scoreboard, and spans are split where acknowledgements and losses need it: loss
// detection, recovery and pacing count bytes.
//
// Positions in the two streams are kept as 64-bit offsets (0 is the SYN, 1 the first byte) and turned into sequence
// numbers at the edge, so that nothing inside wraps. Times inside are durations since the machine was made.
//
// What differs from the standards, and why:
//   - The minimal retransmission timeout is 200 ms instead of 1 s (RFC 6298 §2.4): it is the practice of all large
//     systems, RACK-TLP makes timeouts rare, and F-RTO, timestamps and D-SACK take back those that were wrong.
//   - Nagle's algorithm is off for good (RFC 9293 §3.7.4 allows an application to do so): what is appended is meant to
//     leave.
//   - Urgent data is received in line and never sent (RFC 6093 §6).
//   - After loss the scoreboard is that of RFC 6675 in bytes, but what is lost is decided by RACK alone, as RFC 8985
//     §9.2 demands. SACK blocks count as far as they hold whole packets.
//   - A RST in LAST-ACK or CLOSING is an error while data is unacknowledged, and after Close a peer that keeps its window
//     closed is given up after the user timeout, although it answers (RFC 9293 §3.10.7.4, §3.8.6.1).
package tcp
