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
// session above as well (docs/protocol.md §1.3): it comes with Conn.Bind, and no join is made or accepted before
// Conn.Authenticate. A carrier that encrypts does so with keys from the same secret (§1.6); nothing that came unsealed outlives
// the handshake of the session above. A connection whose subflows are all gone lives on for the agreed time (break
// before make, RFC 8684 §3.3.3), but only an authenticated one. A REMOVE_ADDR closes its subflows at once, as the Linux
// kernel does, and does not wait for a keep-alive: both ends are ours, and the sender knows that its link is down.
//
// # What waits where
//
// Under load the loop lets other goroutines run once before each turn that it is woken for: several writers then share
// a turn and its one write on each uplink. After a lull it does not, for then it would only delay the first byte.
//
// Bytes get their data sequence number at Write but are given to a subflow as late as possible; Write blocks when
// more than a few milliseconds' worth of them wait, so that what the application has not yet written can still be
// reordered above. What is in flight on an uplink is capped end to end over all connections by the board of
// transport/uplink, whatever congestion control works below.
//
// # What the simulations taught
//
// The bounds of targets_sim_test.go are kept by these, each worth several per cent on some pair of links:
//
//   - On the plain carrier a lost segment makes a hole in TCP's byte stream, and nothing is acknowledged by the peer's
//     carrier until it is filled, a round trip later. What the system knows to have arrived beyond the hole is therefore
//     not counted as in flight: a link with 1 % loss would stand at its cap for much of the time.
//   - Facts that were measured on little, or in a queue that is gone, keep a path from being used, and so from being
//     measured again. So an idle path is asked for its round trip while data moves on others, and under load a path whose
//     rate has not stopped growing is taken to carry what the cap lets out for a try.
//   - Where a path of changing length runs empty, its round trip strays from what is in flight ÷ rate. That, and not the
//     deviation that TCP keeps, is the measure of what the cap has to add. And what is late at the start for a moment is
//     no queue yet: a path whose start had ended on that needed another second to be filled.
//   - At the begin of a transfer no rate is known and the window is small. A chunk on a path of 300 ms then holds up
//     everything within a few round trips of the others. It waits for these as long as their rates are not known.
//   - What is late by a path that loses is sent again as long as half of the allowance for that is unused.
//   - When an interface goes down in mid-upload, nearly all that it had been given arrives, and the acknowledgements are lost.
//     So new data shares the paths with what is sent again until the peer has had the time to say so.
package mptcp
