package tunnel

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"

	"hawser/proxy/relay"
)

const maxReplyText = 255 // bytes

// Reply is the server's answer to a request (docs/protocol.md §3).
type Reply struct {
	Code  relay.Code
	Bound netip.AddrPort // local address of the server's connection to the target; zero on failure
	Text  string         // for a person, at most 255 bytes; empty on success
}

// String gives the reply as a log shows it.
func (r Reply) String() string { return fmt.Sprintf("%v bound %v text %q", r.Code, r.Bound, r.Text) }

// ReplyError is a stream that the server did not open.
type ReplyError struct {
	Code relay.Code
	Text string // of the server; may be empty
}

// Error gives the code in words and the server's text, quoted, because it comes from elsewhere.
func (e *ReplyError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("server: %v", e.Code)
	}
	return fmt.Sprintf("server: %v: %q", e.Code, e.Text)
}

// ReplyCode is the code as SOCKS5 sends it (RFC 1928 §6).
func (e *ReplyError) ReplyCode() byte { return byte(e.Code) }

// AppendReply writes a reply.
func AppendReply(b []byte, r Reply) []byte {
	addr := r.Bound.Addr().WithZone("")
	if !addr.IsValid() {
		addr = netip.IPv4Unspecified()
	}
	b = append(b, headerVersion, uint8(r.Code))
	b = appendAddr(b, addr)
	b = binary.BigEndian.AppendUint16(b, r.Bound.Port())
	text := clip(r.Text, maxReplyText)
	return append(append(b, uint8(len(text))), text...)
}

// ReadReply reads a reply and nothing of what follows.
func ReadReply(r io.Reader) (Reply, error) {
	var buf [255]byte
	if _, err := io.ReadFull(r, buf[:3]); err != nil {
		return Reply{}, err
	}
	reply := Reply{Code: relay.Code(buf[1])}
	n := 0
	switch {
	case buf[0] != headerVersion:
		return Reply{}, fmt.Errorf("tunnel: reply of version %d, %d is spoken", buf[0], headerVersion)
	case buf[2] == addressIPv4:
		n = 4
	case buf[2] == addressIPv6:
		n = 16
	default:
		return Reply{}, fmt.Errorf("tunnel: reply with address type %d", buf[2])
	}
	if _, err := io.ReadFull(r, buf[:n+3]); err != nil {
		return Reply{}, err
	}
	addr, _ := netip.AddrFromSlice(buf[:n])
	reply.Bound = netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(buf[n:]))
	text := int(buf[n+2])
	if _, err := io.ReadFull(r, buf[:text]); err != nil {
		return Reply{}, err
	}
	reply.Text = clip(string(buf[:text]), maxReplyText)
	return reply, nil
}
