// Command rawcat is a netcat over the project's own TCP (packages rawtcp, tcp and packet): for tests and measurements
// against the kernel's.
//
//	rawcat listen --on 0.0.0.0:7443 > received
//	rawcat connect --to 198.51.100.7:7443 < sent
//
// Standard input goes to the peer, and its end closes that direction; what arrives goes to standard output. The exit
// status is 0 only when both directions were closed in order. It runs on Linux and needs CAP_NET_RAW, and
// CAP_NET_BIND_SERVICE to listen on a port below 1024. It reaches other machines only, or other network namespaces.
package main
