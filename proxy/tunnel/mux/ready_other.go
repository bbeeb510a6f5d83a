//go:build !unix

package mux

import "syscall"

// waitingFiller is not available: the system has no way to read a socket at once or not at all.
func waitingFiller(syscall.RawConn) filler { return nil }
