// Package mux runs many streams over one connection: yamux by github.com/libp2p/go-yamux/v5, in a shell that gives it
// what a bonded line needs.
//
// # Why this library
//
// Four were measured through TLS 1.3 over loopback, both ends in one process on two cores, medians of three; memory is
// heap and stacks of both ends with one reading goroutine at each:
//
//	                          one stream   open, exchange 256 B,   idle stream   idle after 1 MB   beside 8 streams whose
//	                                       close                                 each way          readers have stopped
//	libp2p/go-yamux v5.1.0    7.8 Gbit/s   24,100 /s               10.2 kB       8.8 kB            10.2 Gbit/s
//	hashicorp/yamux v0.1.2    7.1 Gbit/s   16,000 /s               10.7 kB       2,241 kB          9.7 Gbit/s
//	xtaci/smux v1.5.56 (v2)   6.8 Gbit/s   16,000 /s               10.6 kB       13.9 kB           stuck
//	x/net/http2 v0.62.0       6.4 Gbit/s   15,600 /s               539 kB        548 kB            stuck
//
// go-yamux also is the only one of the four that has a reset beside the orderly close, windows of each stream's own, and
// a hook for memory. smux has no reset and one receive budget for the session; HTTP/2 has one window for the connection:
// in both, readers that stop use it up and everybody waits. hashicorp/yamux keeps the largest window as a buffer for as
// long as a stream lives, and has neither reset nor tuning.
//
// # What the shell adds
//
//   - wire sees each frame both ways. A stream waits for its own window before it enters the gate, so a reader that has
//     stopped holds nothing that others need.
//   - gate: at most two frames of data are queued above the connection (the library's queue takes 64), and a stream's first bytes
//     go before bulk.
//   - Windows: whatever a peer may send has been reserved from the process's budget before, so no stream is ever reset
//     for want of memory. A stream has 4 kB for life; the frames that open and accept it allow 256 kB while there is
//     plenty. Windows grow by the time in which they are used up, not by a ping's round trip. When room runs short,
//     streams that are quiet are asked to give back what they were allowed (flagRecall, flagReturn), growth is refused,
//     and then new streams. The library's own windows are larger than any of these and never felt.
//   - An opening frame leaves in one write with the request behind it, and its acknowledgement with the reply if that
//     comes within 5 ms: a write, inside TLS a record, and a wake-up at both ends less for each stream.
//   - No keep-alive, no ping and no write deadline reach the connection: whether the peer lives is judged by the MPTCP
//     layer alone, and a write that timed out, and left a part of a frame behind, cannot be mended.
//   - Frames above 16 kB end the session.
//
// The library's GoAway is not used: it ends the receiver's session at once, with its streams.
package mux
