package inbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"hawser/proxy/relay"
)

// Target is where an application wants to go: a name, which the server resolves, or an address, and a port.
type Target struct {
	Name string     // 1–255 bytes; empty: Addr counts
	Addr netip.Addr // without zone; invalid: Name counts
	Port uint16     // 0 only when an application asked for it
}

// String is "host:port".
func (t Target) String() string {
	host := t.Name
	if host == "" {
		host = t.Addr.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(t.Port)))
}

var errBadHost = errors.New("inbound: the host must be a name of at most 255 characters or an address without a zone")

// newTarget makes a Target of a host as applications write it: a name, or an address without brackets.
func newTarget(host string, port uint16) (Target, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" { // it would name an interface of this machine, not of the server
			return Target{}, errBadHost
		}
		return Target{Addr: a.Unmap(), Port: port}, nil
	}
	if len(host) == 0 || len(host) > 255 {
		return Target{}, errBadHost
	}
	if strings.IndexFunc(host, neverInHost) >= 0 {
		return Target{}, errBadHost
	}
	return Target{Name: host, Port: port}, nil
}

// neverInHost are characters that no host name has, whatever its resolver: they come from mistaken or hostile
// requests (a path, a user, a second port, a line break).
func neverInHost(c rune) bool {
	return c <= ' ' || c == 0x7f || strings.ContainsRune(`/\@:?#[]`, c)
}

// parseTarget reads "host:port" or "[address]:port" (RFC 9110 §7.1, authority-form). port is used when there is none;
// 0: there must be one.
func parseTarget(s string, port uint16) (Target, error) {
	host, text := s, ""
	switch h, p, err := net.SplitHostPort(s); {
	case err == nil:
		host, text = h, p
	case port == 0:
		return Target{}, errors.New("inbound: the target must be host:port")
	case len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']':
		host = s[1 : len(s)-1]
	}
	if text != "" || port == 0 {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return Target{}, errors.New("inbound: the port must be a number from 1 to 65535")
		}
		port = uint16(n)
	}
	return newTarget(host, port)
}

// Stream is the tunnel's answer to Open. Its LocalAddr is the local address of the server's connection to the target
// where it is known, for the SOCKS reply.
type Stream = relay.Stream

// Opener opens streams; the tunnel is one.
//
// Its error may have a method ReplyCode() byte, the code of RFC 1928 §6 that the server answered, and a method
// NoUplink() bool, true when no uplink works (SOCKS reply 3, HTTP 503). Its text is shown to the application where the
// protocol has room for it.
type Opener interface {
	// Open returns once the server has connected to the target. It ends by itself when no uplink works or the target
	// does not answer, and when ctx is cancelled.
	Open(ctx context.Context, target Target) (Stream, error)
}

// boundOf is the zero AddrPort when the stream does not tell.
func boundOf(s Stream) netip.AddrPort {
	if a, ok := s.LocalAddr().(*net.TCPAddr); ok && a != nil {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}
