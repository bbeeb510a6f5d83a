// Package packettest is the raw carrier's network in memory: hosts joined by links with rate, delay, jitter, loss,
// reordering and MTU. It runs in virtual time (testing/synctest), where raw sockets cannot be used, or in real time.
//
//	n := packettest.New(1)
//	client, server := n.Host("client"), n.Host("server")
//	dsl := n.Link(client, server, packettest.LinkConfig{Rate: 50e6, Delay: 10 * time.Millisecond})
//	a := client.Open(dsl, packet.Block{First: 61024, Count: 32})
//	b := server.Open(nil, packet.Block{First: 7443, Count: 1}) // on all links
//
// A super-segment is cut into the segments that it is on the wire, and each of these is queued, delayed, lost or
// overtaken by itself. What waits at the receiver is merged as the kernel's generic receive offload merges: segments of
// one flow that follow each other and differ in nothing but sequence number, FIN and PSH. Everything random comes from
// the seed and the order of the segments in each direction of each link.
//
// Left out, because it is the real Socket's business and shows only as a mode in its status: next hops, checksums, the
// ways to send. Control has no effect.
package packettest
