// Package mptcp is one Multipath TCP connection (RFC 8684) over any number of subflows, as a net.Conn.
//
// It knows no socket and no TCP header: subflows are transport.Subflow values that carriers make.
package mptcp
