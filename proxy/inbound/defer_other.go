//go:build !linux

package inbound

// deferAccept does nothing: connections are accepted before their first bytes.
func deferAccept(uintptr) {}
