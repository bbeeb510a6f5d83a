// Package uplink knows which ways out this machine has, live (interfaces, addresses, routes), how the server's
// addresses are reached by each, and keeps the board: what all sessions together have found out about each uplink.
package uplink
