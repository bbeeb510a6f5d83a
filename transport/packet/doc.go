// Package packet is the packet path of the raw carrier: raw sockets, next hops, filters and buffers. It moves TCP
// segments in batches and knows no connection, no sequence space and no timer of TCP.
//
//	ports, err := packet.Reserve(packet.PortConfig{Count: 32})       // the kernel leaves these ports to us
//	conn, err := packet.Open(packet.Config{Interface: "wan0", Ports: ports})
//	n, err := conn.WriteBatch(ps)                                     // super-segments of up to 62 kB
//	n, err := conn.ReadBatch(ps)                                      // segments that the kernel has merged
//	err := errors.Join(conn.Close(), ports.Close())                   // in this order
//
// # Ways to send
//
// Data goes by a packet socket with a virtio-net header: one super-segment per message, cut by the device or at the
// last moment by the kernel, the checksum left to either (ModeGSO). An interface that refuses those gets frames of its
// MTU (ModeFrames), and one that refuses even frames gets IP packets through the kernel's own output (ModeRawIP), each
// with a reason in the status and with new tries later. Local shapers (qdiscs) apply in every mode, for none is bypassed.
//
// The kernel's own output also carries Control packets, whatever has a next hop that is not known for certain, and now
// and then a small packet, because packet sockets neither resolve nor refresh the kernel's table of neighbours; and all
// that routers may fragment, because the kernel alone knows an identification that is used nowhere else (RFC 6864). IPsec
// policies, address translation and firewalls of this host see nothing of what packet sockets send; an uplink that needs
// them has to be degraded to raw IP, which [Suspicion] and ReportReset find out for firewalls. What a firewall refuses to
// let out because it has not seen the rest of its flow goes by packet socket instead, except what opens a flow.
//
// # Ways to receive
//
// One packet socket per EtherType, bound to the interface or to all, behind a filter of ten instructions. A bridge, bond
// or VLAN is read at its upper end: a socket for one of the lower interfaces is opened on the upper one instead. What was
// sent to another host's address, though it passes here, is dropped. The checksum of TCP is verified here only when the
// kernel does not vouch for it, that of an IPv4 header always. ICMP messages about our segments arrive as reports in the
// same batches.
//
// # The kernel and our ports
//
// Segments of a port that the kernel does not know are answered by it with RST. So each port has a kernel socket that
// listens and is deaf: the segment finds a socket, the socket drops it, nobody answers. Deaf twice over: by a filter that
// drops everything or, where the kernel allows none on a TCP socket, because it wants every segment signed by a key that
// nobody has; and by a minimum TTL that no segment from beyond the link can have. Reserve proves on the spot that the kernel
// stays silent, before it returns. Where it has neither filters nor signatures for us it may still answer neighbours that send
// with the top TTL; what they send is marked (Packet.Heard).
//
// All this needs CAP_NET_RAW and nothing else.
package packet
