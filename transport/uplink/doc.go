// Package uplink knows which ways out this machine has, live (interfaces, addresses, routes), how the server's
// addresses are reached by each, and keeps the board: what all sessions together have found out about each uplink.
//
// Set answers "which uplinks are there": a monitor per platform hands it snapshots of links, addresses and default
// routes, and one pure function, plan, turns a snapshot and the configuration into uplinks. On Linux the snapshots
// are dumps, taken whenever one rtnetlink socket says that something changed: a dump cannot drift from the kernel's
// state as bookkeeping over single messages does (IPv4 routes that go with their link are not even announced), an
// overrun of the socket is then just one more reason to dump, and links and addresses take well under a millisecond.
// Elsewhere the state is read twice a second.
//
// Targets answers "which ways lead to the server": uplinks × server addresses, names resolved through each uplink by
// the standard resolver, one source address per family chosen in the spirit of RFC 6724, ways without a route left
// out with the reason. It remembers per uplink which address authenticated last.
package uplink
