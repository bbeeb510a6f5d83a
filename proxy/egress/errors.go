package egress

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"

	"hawser/proxy/relay"
)

// Error is a connect that failed: the reply code for the application, and the cause.
type Error struct {
	Code relay.Code
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// ReplyCode is the code of RFC 1928 §6.
func (e *Error) ReplyCode() byte { return byte(e.Code) }

// failure gives err its reply code; an *Error keeps the one it has.
func failure(err error) *Error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	return &Error{codeOf(err), err}
}

// codeOf finds the reply code that tells an application the most.
func codeOf(err error) relay.Code {
	var denied *DeniedError
	var dns *net.DNSError
	var errno syscall.Errno
	switch {
	case errors.As(err, &denied):
		return relay.CodeNotAllowed
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return relay.CodeTimeout
	case errors.As(err, &dns):
		return relay.CodeHostUnreachable
	case errors.As(err, &errno):
		return codeOfErrno(errno)
	}
	return relay.CodeGeneralFailure
}

func codeOfErrno(errno syscall.Errno) relay.Code {
	switch errno {
	case syscall.ECONNREFUSED, syscall.ECONNRESET, wsaECONNREFUSED, wsaECONNRESET:
		return relay.CodeConnectionRefused
	case syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT,
		wsaENETUNREACH, wsaENETDOWN, wsaEADDRNOTAVAIL, wsaEAFNOSUPPORT: // the last two: no address of that family here
		return relay.CodeNetworkUnreachable
	case syscall.EHOSTUNREACH, wsaEHOSTUNREACH, wsaEHOSTDOWN:
		return relay.CodeHostUnreachable
	case syscall.ETIMEDOUT, wsaETIMEDOUT:
		return relay.CodeTimeout
	case syscall.EACCES, syscall.EPERM, wsaEACCES: // a prohibit route or a firewall of the server
		return relay.CodeNotAllowed
	}
	return relay.CodeGeneralFailure
}

// Windows' socket errors (winsock2.h), which package syscall does not map onto its own names. No other system has
// errors of this size.
const (
	wsaEACCES        syscall.Errno = 10013
	wsaEAFNOSUPPORT  syscall.Errno = 10047
	wsaEADDRNOTAVAIL syscall.Errno = 10049
	wsaENETDOWN      syscall.Errno = 10050
	wsaENETUNREACH   syscall.Errno = 10051
	wsaECONNRESET    syscall.Errno = 10054
	wsaETIMEDOUT     syscall.Errno = 10060
	wsaECONNREFUSED  syscall.Errno = 10061
	wsaEHOSTDOWN     syscall.Errno = 10064
	wsaEHOSTUNREACH  syscall.Errno = 10065
)

// rank orders failures of one race by how much they say about the target: an IPv6 address that this server has no
// route to must not hide that the IPv4 one refused.
func rank(c relay.Code) int {
	switch c {
	case relay.CodeConnectionRefused:
		return 5
	case relay.CodeTimeout:
		return 4
	case relay.CodeHostUnreachable:
		return 3
	case relay.CodeNetworkUnreachable:
		return 2
	case relay.CodeNotAllowed:
		return 1
	}
	return 0
}
