// Package cc holds the congestion controllers of the raw carrier (New), and knows congestion controls by name: what the
// configuration may ask for, and what a kernel calls it.
//
// A name in the configuration means the same on both carriers, but not the same code. The raw carrier has controls of
// its own, and the coupled ones among them (RFC 6356 and its successors) see all subflows of a session. The plain
// carrier can only ask the kernel for a control of that name; where the kernel has none, or does not let this user
// choose it, its default stays. Linux names what it has in net.ipv4.tcp_available_congestion_control.
//
// Controllers are pure machines (Controller). Reno (RFC 5681) and CUBIC (RFC 9438) are two ways to grow in congestion
// avoidance; slow start with HyStart++ (RFC 9406), recovery, time-outs, undo and congestion window validation (RFC 7661)
// are the same for both and live in lossBased, where coupled controls, which also change congestion avoidance alone,
// have their place. BBR follows draft-ietf-ccwg-bbr (version 3) and differs where its comments say so: random loss
// around the threshold is told from congestion by its size. "paced" sends at a given rate; no configuration offers it.
//
// The coupled controls (lia, olia, balia, wvegas) have no controller here: New refuses them, and takes nothing that
// would couple the subflows of a session.
package cc
