// Package rawtcp joins the TCP machine (package tcp) and the packet path (package packet): it is TCP in user space with
// the usual blocking connections.
//
//	e, err := rawtcp.New(rawtcp.Config{Conn: socket, Ports: ports.Block(), TCP: tcp.Config{Control: control}})
//	c, err := e.Dial(ctx, local, netip.MustParseAddrPort("198.51.100.7:7443"))
//	l, err := e.Listen(netip.MustParseAddrPort("[::]:7443"), tcp.ListenerConfig{})
//
// # Who owns what
//
// One goroutine reads the packet path (Endpoint.read), looks up the connection of each packet and puts whole batches
// into inboxes. One goroutine for each connection (Conn.run) owns its machine and everything else that no lock guards.
// Its turn: inbox → Receive → Advance → what the application has written → Poll → what the application may read →
// Emit into a batch → WriteBatch → sleep until Deadline or a wake. Read and Write meet it at two gates.
//
// There is a lock for each inbox, each gate and the endpoint's table. They are never nested and never held across a call
// that may block, so all of it runs in virtual time (testing/synctest) over package packettest.
//
// # Memory
//
// A byte is copied once each way: from Write into a pooled buffer, which the machine then refers to until the peer has
// acknowledged it, and from the packet's buffer into Read's. ReadFrom and WriteTo save these copies: the one fills the
// pooled buffers itself, the other hands on those of the packets. Nothing is allocated for a segment in steady state.
//
// Everything that waits is bounded. In an inbox: a number of packets and the memory of their buffers; what is more is
// dropped, as a full socket buffer would do it. Before Read: some buffers; what is more stays in the machine, where it
// closes the window. Before the peer: Write blocks above twice the congestion window.
//
// # Backpressure of the host
//
// When the local queue is full, what is left of the batch is moved to memory of its own and tried again a millisecond
// later. Until it has gone, nothing else is emitted, but what arrives is still taken in, so that acknowledgements and
// timers of a connection do not wait for its queue.
//
// # Firewalls of this host
//
// A stateful filter of this host sees what arrives, after we have read it, and of what leaves only handshakes, probes and
// what is repeated after a time-out. What it then does to a connection:
//
//   - It drops what arrives: no harm.
//   - It rejects what arrives with RST, which goes to the peer. A sender is cut at the first acknowledgement, if the peer takes
//     the RST, a receiver when the peer uses more window than the handshake has shown, and would wait for ever then. The
//     packet path shows the RSTs that leave this host (packet.ReportReset): the interface moves to raw IP at once, in both
//     roles, and a connection that the RST has ended at the peer ends here with ErrCut, after all that came before. RSTs
//     of our own, after which a connection may go on, are known and left out, and so are those that the kernel may have sent.
//   - It drops or rejects what leaves: the packet path sends that by packet socket instead, and does not believe a RST that
//     loopback brings in a peer's name.
//   - It rejects with ICMP what arrives: the peer hears of that, and goes on.
//
// One that drops before we have read is not found out: on a bridge with net.bridge.bridge-nf-call-iptables=1, a chain at
// prerouting with `ct state invalid drop`. Acknowledgements do not come then, as in a black hole; set raw IP by hand.
//
// # Ports
//
// A client never answers a segment of no connection: what else passes through this host by its ports is none of its
// business. A listener does, on its port. A pair of addresses and ports whose connection was established is not used
// again for 60 s, for what may still be under way.
package rawtcp
