// Package link emulates an uplink inside the process: what connects to a link's port of 127.0.0.1 is forwarded to one
// address as by a line of a fixed rate and delay, which can be cut.
//
// It needs no privilege and works wherever TCP does, which is what the demo wants; the price is that it forwards the
// bytes of TCP connections, not packets. So nothing is ever lost: what TCP would send again after a loss simply comes
// later, and a queue that is full holds the sender back where a router would drop. Both are what an application, and a
// carrier that judges by its own acknowledgements, sees of a real line.
//
// Rate: every chunk gets the time at which its last bit has left the line when all before it have (virtual finish
// time), and is delivered a delay after that. There are no tokens, so no bursts beyond a chunk, and late timers of a
// busy machine do not add up. Memory: chunks are only read while the queue is shorter than queueTime and less than
// rate × (delay + queueTime) of the connection is under way; socket buffers are kept small.
//
// A cut holds everything, in both directions: nothing is delivered, nothing is refused, connections that are opened
// get no answer. After the restoration what was under way arrives, as TCP's retransmissions would.
package link
