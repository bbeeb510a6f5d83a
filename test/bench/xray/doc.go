// Package xray runs xray-core as a peer to compare with: shadowsocks-2022 over the kernel's Multipath TCP, one kernel
// connection for each stream, as a user would set it up on the same uplinks.
//
// The program is built from the Go module proxy into a cache outside the repository the first time it is needed; the
// module does not depend on it. Both ends run in the configuration that is fastest: no log, no sniffing, no statistics.
package xray
