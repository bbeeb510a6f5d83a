// Package mptcp is one Multipath TCP connection (RFC 8684) over any number of subflows, as a net.Conn.
//
// It knows no socket and no TCP header: subflows are transport.Subflow values that carriers make, and the ways to the
// peer come from a PathSource.
//
// # Who owns what
//
// One goroutine per connection, the loop, owns everything below the application's border: subflows, sequence numbers,
// scheduler, path manager (type core and what hangs on it). Multipath is shared state between subflows, and with one
// owner none of it needs a lock. Its turn is always
//
//	take the inbox → handle → advance → schedule → flush → sleep until the earliest deadline or a wake
//
// Locks are three, never nested, never held across anything that blocks: the inbox (carriers' helper goroutines →
// loop), the in-gate (loop → Read) and the out-gate (Write → loop). Time comes in as an argument everywhere below the
// loop.
//
// # Where this differs from RFC 8684 between two Hawser ends, and why
//
// The RFC sends its keys in clear, so joins, ADD_ADDR and MP_FASTCLOSE are authenticated by a secret of the TLS
// session above as well (docs/protocol.md §1.3): it comes with Conn.Authenticate, and no join is made or accepted
// before it. A connection whose subflows are all gone lives on for the agreed time (break before make, RFC 8684
// §3.3.3), but only an authenticated one. A REMOVE_ADDR closes its subflows at once, as the Linux kernel does, and
// does not wait for a keep-alive: both ends are ours, and the sender knows that its link is down.
//
// # What waits where
//
// Bytes get their data sequence number at Write but are given to a subflow as late as possible; Write blocks when
// more than a few milliseconds' worth of them wait, so that what the application has not yet written can still be
// reordered above. What is in flight on an uplink is capped end to end over all connections by the board of
// transport/uplink, whatever congestion control works below.
package mptcp
