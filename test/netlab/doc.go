// Package netlab builds small networks on one Linux machine: hosts that are network namespaces, joined by links whose
// rate, delay, loss and queue a user-space emulator imposes, and that can be broken while traffic runs.
//
//	lab := netlab.New(t)                       // skips without root; everything is gone when the test ends
//	client, server := lab.Host("client"), lab.Host("server")
//	dsl := lab.Link(client, server, netlab.LinkConfig{
//		Name: "dsl", ARate: 10 * netlab.Mbit, BRate: 50 * netlab.Mbit, Delay: 10 * time.Millisecond,
//	})
//	err := client.Command(ctx, "curl", "http://"+dsl.Addr(netlab.SideB).String()).Run()
//	dsl.BlackHole(netlab.Both, true)           // the interfaces stay up, nothing arrives
//
// # Choices
//
// The emulator is user space because many kernels have no netem. Each end of an emulated link is a veth pair: one half
// is the host's interface, the other lies in a namespace of the lab's own (the fabric), where a packet socket takes and
// gives its frames in batches. A TAP device would save a hop, but its kind reads "tun", and what is tested treats
// tunnels differently from uplinks.
//
// The host's half has all offloads off, so that the emulator sees the frames of a wire. A link without any shaping is
// a plain veth pair with offloads on: it costs what the kernel costs, has no counters but the kernel's and cannot be
// black-holed (set LinkConfig.Emulate for that).
//
// One locked thread serves both directions of a link. A frame's way is computed from the kernel's time stamp of its
// arrival: the bottleneck serves frames one after the other (virtual finish time, so there are no token bursts), then
// comes the delay. When the thread wakes late, only the hand-over is late, not what follows. [pipe] is that machine; it
// knows no clock and no socket.
//
// The links' threads run beside the program's other goroutines. They have the highest ordinary priority, and GOMAXPROCS
// is raised while the process uses a lab, so that a busy program does not keep them from a processor of the Go runtime.
// Lateness is in the counters, and CPUMark tells a saturated run from a good one.
//
// ARP and neighbour solicitations are answered by the link itself, at once, also while it is dark: on a real uplink
// the black hole is behind the local router, and the neighbour does not disappear.
//
// Namespaces are mounted in /run/netns under names that carry the process's id and start time, so `ip netns exec`
// works on a stopped test, and the next lab sweeps away what a killed process has left.
//
// A test fails at once when an operation of the lab fails. A lab from Open, for benchmarks, keeps the first error for
// Err instead, and every later operation does nothing.
//
// # Middleboxes
//
// A chain of [Stage] per direction stands at the sender's end of a link, before its queue. A [TimedStage] also acts
// when time passes. Package middlebox has those that change TCP: it strips options, rewrites, cuts, merges, repeats,
// reorders, acknowledges, forgets and resets.
//
// What needs a host's own TCP or connection tracking is the kernel's, on a router or a host, by nftables (package
// nftables; NeedNFTables tells what the kernel needs): Host.Masquerade translates addresses, Host.Firewall and
// Host.ForwardFirewall filter by connection, Host.SplitTCP ends TCP and opens connections of its own.
//
//	gateway := lab.Router("gateway")
//	nat := gateway.Masquerade(outside, netlab.NATConfig{Strict: true})
//	nat.Flush()                                       // as a restart; nat.ChangeAddress gives a new address
//	server.Firewall(netlab.Firewall{In: []uint16{443}, Reject: true})
//	gateway.SplitTCP()
//
// # Topologies and links
//
// Lab.Multihome is a client of several uplinks; Lab.SharedBottleneck has them meet in one shaped link. Package profile
// names the links of the targets as plain values, and Uplinks turns them into configurations. Link.SetRate, SetDelay,
// SetLoss, SetShape and Change change a link while traffic runs, each direction by itself.
//
// # Looking inside
//
// Link.Capture writes what a link delivers to a pcap file, Lab.Capture does so for all links to come. For any test:
//
//	NETLAB_PCAP=/tmp/pcap go test -run TestX ./…
//
// has all links of all labs captured there, one file each. Links that would be plain are emulated for it.
package netlab
