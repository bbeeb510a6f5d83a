// Package kmptcp uses the Linux kernel's own Multipath TCP on the hosts of a lab: as a reference for measurements and as
// a peer.
//
//	err := kmptcp.Multihome(m)                                   // every uplink of m is an endpoint of the client
//	ln, err := kmptcp.Listen(m.Server, "0.0.0.0:9000")
//	before, err := kmptcp.ReadCounters(m.Server)
//	conn, err := kmptcp.Dial(ctx, m.Client, m.Uplinks[0].Addr(netlab.SideA), server)
//	…
//	after, err := kmptcp.ReadCounters(m.Server)
//	err = after.Since(before).Proof(len(m.Uplinks) - 1)          // all joined, nothing fell back
//
// Endpoints and limits are set as `ip mptcp` does, by the generic netlink family "mptcp_pm" (linux/mptcp_pm.h). Counters
// are the kernel's MPTcpExt group (net/mptcp/mib.h).
package kmptcp
