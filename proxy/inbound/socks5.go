package inbound

import (
	"bufio"
	"io"
	"net/netip"

	"github.com/armon/go-socks5"

	"hawser/proxy/relay"
)

// socks5Version is the version of RFC 1928, and of its replies.
const socks5Version = 5

// Methods of RFC 1928 §3.
const (
	methodNone         = 0x00
	methodPassword     = 0x02
	methodUnacceptable = 0xff
)

// serveSOCKS5 speaks RFC 1928 and RFC 1929. It takes over r.
func (s *Server) serveSOCKS5(c *client, r *bufio.Reader) {
	methods, err := readMethods(r)
	if err != nil {
		release(r)
		c.abort()
		return
	}
	auth := s.authenticator(c, methods)
	if auth == nil {
		release(r)
		c.dismiss([]byte{socks5Version, methodUnacceptable})
		return
	}
	if _, err := auth.Authenticate(r, c); err != nil {
		release(r)
		s.options.Log.Debug().Stringer("source", c.source).Err(err).Msg("proxy password refused")
		c.dismiss(nil) // the authenticator has answered
		return
	}
	s.gate.trust(c)
	target, code, err := readRequest5(r)
	switch {
	case err != nil:
		release(r)
		c.abort()
	case code != relay.CodeSucceeded:
		release(r)
		c.dismiss(words5{}.refused(refusal{code: code}))
	default:
		s.tunnel(c, r, target, words5{})
	}
}

// readMethods reads the greeting (RFC 1928 §3): version, count, methods.
func readMethods(r *bufio.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	methods := make([]byte, head[1])
	_, err := io.ReadFull(r, methods)
	return methods, err
}

// authenticator picks the method; nil: none is acceptable. A client that needs no password may offer one all the same,
// and only that.
func (s *Server) authenticator(c *client, methods []byte) socks5.Authenticator {
	none, password := false, false
	for _, m := range methods {
		none = none || m == methodNone
		password = password || m == methodPassword
	}
	switch {
	case c.verdict == open && none:
		return socks5.NoAuthAuthenticator{}
	case c.verdict == open && password:
		return socks5.UserPassAuthenticator{Credentials: anyone{}}
	case password:
		return socks5.UserPassAuthenticator{Credentials: s.access}
	}
	return nil
}

// anyone accepts every password.
type anyone struct{}

func (anyone) Valid(string, string) bool { return true }

// readRequest5 reads a request (RFC 1928 §4). A code other than success is to be answered; an error means that the
// client speaks something else or has gone.
func readRequest5(r *bufio.Reader) (Target, relay.Code, error) {
	head, err := r.Peek(4) // version, command, reserved, address type
	if err != nil {
		return Target{}, 0, err
	}
	switch head[3] {
	case 1, 3, 4:
	default: // how long the address is nobody knows
		return Target{}, relay.CodeAddressTypeUnknown, nil
	}
	req, err := socks5.NewRequest(r)
	if err != nil {
		return Target{}, 0, err
	}
	if req.Command != socks5.ConnectCommand {
		return Target{}, relay.CodeCommandNotSupported, nil
	}
	port := uint16(req.DestAddr.Port)
	if addr, ok := netip.AddrFromSlice(req.DestAddr.IP); ok {
		return Target{Addr: addr.Unmap(), Port: port}, relay.CodeSucceeded, nil
	}
	target, err := newTarget(req.DestAddr.FQDN, port)
	if err != nil {
		return Target{}, relay.CodeGeneralFailure, nil
	}
	return target, relay.CodeSucceeded, nil
}

// words5 are the replies of RFC 1928 §6.
type words5 struct{}

func (words5) granted(bound netip.AddrPort) []byte {
	return appendReply5(nil, relay.CodeSucceeded, bound)
}

func (words5) refused(r refusal) []byte { return appendReply5(nil, r.code, netip.AddrPort{}) }

// appendReply5 writes version, code, reserved, address type, address, port; an unknown address is 0.0.0.0:0.
func appendReply5(b []byte, code relay.Code, bound netip.AddrPort) []byte {
	b = append(b, socks5Version, byte(code), 0)
	switch addr := bound.Addr().Unmap(); {
	case addr.Is6():
		b = append(append(b, 4), addr.AsSlice()...)
	case addr.Is4():
		b = append(append(b, 1), addr.AsSlice()...)
	default:
		b = append(b, 1, 0, 0, 0, 0)
	}
	return append(b, byte(bound.Port()>>8), byte(bound.Port()))
}
