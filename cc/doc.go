// Package cc knows congestion controls by name: what the configuration may ask for, and what a kernel calls it.
//
// A name in the configuration means the same on both carriers, but not the same code. The raw carrier has controls of
// its own, and the coupled ones among them (RFC 6356 and its successors) see all subflows of a session. The plain
// carrier can only ask the kernel for a control of that name; where the kernel has none, or does not let this user
// choose it, its default stays. Linux names what it has in net.ipv4.tcp_available_congestion_control.
package cc
