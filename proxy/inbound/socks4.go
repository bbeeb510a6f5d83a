package inbound

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
)

// Codes of the SOCKS4 protocol (its memo by Ying-Da Lee); 4a adds names.
const (
	connect4  = 1
	granted4  = 90
	rejected4 = 91
)

// maxText4 bounds the user id and the name of a request in bytes; a name has at most 255 (RFC 1035 §2.3.4).
const maxText4 = 255

var errLong4 = errors.New("inbound: SOCKS4: user id or name longer than 255 bytes")

// request4 is a SOCKS4 or SOCKS4a request.
type request4 struct {
	command byte
	port    uint16
	addr    netip.Addr // 0.0.0.x, x ≠ 0: name counts
	name    string
}

// serveSOCKS4 speaks SOCKS4 and SOCKS4a. It takes over r. The protocol has no passwords, so whoever needs one is
// refused.
func (s *Server) serveSOCKS4(c *client, r *bufio.Reader) {
	req, err := readRequest4(r)
	if err != nil {
		release(r)
		c.abort()
		return
	}
	target, err := req.target()
	if err != nil || req.command != connect4 || c.verdict != open {
		release(r)
		c.dismiss(words4{}.refused(refusal{}))
		return
	}
	s.tunnel(c, r, target, words4{})
}

// readRequest4 reads version, command, port, address, user id, NUL, and with 4a name, NUL.
func readRequest4(r *bufio.Reader) (request4, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return request4{}, err
	}
	req := request4{
		command: head[1],
		port:    binary.BigEndian.Uint16(head[2:4]),
		addr:    netip.AddrFrom4([4]byte(head[4:8])),
	}
	if _, err := readText4(r); err != nil { // the user id: anyone may claim any
		return request4{}, err
	}
	if req.named() {
		name, err := readText4(r)
		if err != nil {
			return request4{}, err
		}
		req.name = name
	}
	return req, nil
}

// named tells whether the address is one of 4a's, which stand for a name.
func (r request4) named() bool {
	b := r.addr.As4()
	return b[0] == 0 && b[1] == 0 && b[2] == 0 && b[3] != 0
}

func (r request4) target() (Target, error) {
	if r.named() {
		return newTarget(r.name, r.port)
	}
	return Target{Addr: r.addr, Port: r.port}, nil
}

// readText4 reads up to a NUL, which it drops.
func readText4(r *bufio.Reader) (string, error) {
	var text []byte
	for {
		b, err := r.ReadByte()
		switch {
		case err != nil:
			return "", err
		case b == 0:
			return string(text), nil
		case len(text) == maxText4:
			return "", errLong4
		}
		text = append(text, b)
	}
}

// words4 are the replies of SOCKS4: version 0, code, port, address.
type words4 struct{}

func (words4) granted(bound netip.AddrPort) []byte {
	reply := [8]byte{0, granted4}
	if addr := bound.Addr().Unmap(); addr.Is4() {
		binary.BigEndian.PutUint16(reply[2:4], bound.Port())
		copy(reply[4:8], addr.AsSlice())
	}
	return reply[:]
}

func (words4) refused(refusal) []byte { return []byte{0, rejected4, 0, 0, 0, 0, 0, 0} }
