package rawtcp

import (
	"errors"
	"syscall"

	"hawser/transport/tcp"
)

// Errors of an Endpoint.
var (
	// ErrPorts: all reserved ports are in use towards this peer, or were less than a minute ago.
	ErrPorts = errors.New("rawtcp: all reserved ports are in use towards this peer: close connections, wait a minute, or reserve more")
	// ErrPathGone: the packet path has ended, mostly because its interface is gone. Open a new one and a new Endpoint.
	ErrPathGone = errors.New("rawtcp: the packet path has ended")
	// ErrCut: a firewall of this host has reset the connection at the peer.
	ErrCut = errors.New("rawtcp: a firewall of this host has reset the connection, because it has not seen what packet sockets send: connect again, for the interface sends by raw IP now")
	// ErrBacklog: a connection that nobody has accepted in time was reset.
	ErrBacklog = errors.New("rawtcp: too many connections wait to be accepted")
)

// connError is why a connection is over, also as the system's error number, which applications look for.
type connError struct {
	err   error
	errno syscall.Errno
}

// Error tells it in words.
func (e *connError) Error() string { return e.err.Error() }

// Unwrap gives both.
func (e *connError) Unwrap() []error { return []error{e.err, e.errno} }

// Timeout implements net.Error.
func (e *connError) Timeout() bool { return e.errno.Timeout() }

// Temporary implements net.Error.
func (e *connError) Temporary() bool { return false }

// systemErrors are the error numbers that the system's own TCP would give.
var systemErrors = []struct {
	err   error
	errno syscall.Errno
}{
	{tcp.ErrReset, syscall.ECONNRESET},
	{ErrCut, syscall.ECONNRESET},
	{tcp.ErrRefused, syscall.ECONNREFUSED},
	{tcp.ErrTimeout, syscall.ETIMEDOUT},
	{tcp.ErrUnreachable, syscall.EHOSTUNREACH},
	{tcp.ErrAborted, syscall.ECONNABORTED},
}

// asSystem gives an error its number, if there is one.
func asSystem(err error) error {
	for _, s := range systemErrors {
		if errors.Is(err, s.err) {
			return &connError{err: err, errno: s.errno}
		}
	}
	return err
}
