package tunnel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"

	"hawser/proxy/relay"
)

// headerVersion is the version of a stream's opening header (docs/protocol.md §3).
const headerVersion = 1

// Command is what a stream is opened for.
type Command uint8

// CommandConnect asks for a TCP connection.
const CommandConnect Command = 1

// Address types of a stream's opening header, those of RFC 1928 §5.
const (
	addressIPv4 = 1
	addressName = 3
	addressIPv6 = 4
)

// Target is where a stream goes: an address, or a name that the server resolves.
type Target struct {
	Name string     // 1–255 bytes; used when Addr is invalid
	Addr netip.Addr // without zone
	Port uint16
}

// TargetOf makes the target of a host as users write it, an address or a name.
func TargetOf(host string, port uint16) Target {
	if a, err := netip.ParseAddr(host); err == nil && a.Zone() == "" {
		return Target{Addr: a.Unmap(), Port: port}
	}
	return Target{Name: host, Port: port}
}

// String is "host:port".
func (t Target) String() string {
	host := t.Name
	if t.Addr.IsValid() {
		host = t.Addr.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(t.Port)))
}

// Request is the first thing on a stream, client to server (docs/protocol.md §3).
type Request struct {
	Command Command
	Target  Target
}

// String gives the request as a log shows it.
func (r Request) String() string { return fmt.Sprintf("command %d %v", r.Command, r.Target) }

var errName = errors.New("a target is an address or a name of 1 to 255 bytes")

// AppendRequest writes a request; an error: the target has no form on the wire.
func AppendRequest(b []byte, r Request) ([]byte, error) {
	t := r.Target
	b = append(b, headerVersion, uint8(r.Command))
	switch {
	case t.Addr.IsValid() && t.Addr.Zone() != "":
		return nil, fmt.Errorf("tunnel: %v: an address with a zone means nothing to the server: leave the zone out", t)
	case t.Addr.IsValid():
		b = appendAddr(b, t.Addr)
	case len(t.Name) == 0 || len(t.Name) > 255:
		return nil, fmt.Errorf("tunnel: %w", errName)
	default:
		b = append(append(b, addressName, uint8(len(t.Name))), t.Name...)
	}
	return binary.BigEndian.AppendUint16(b, t.Port), nil
}

// appendAddr writes address type and address. A mapped address is sent as IPv4.
func appendAddr(b []byte, a netip.Addr) []byte {
	a = a.Unmap()
	if a.Is4() {
		b = append(b, addressIPv4)
	} else {
		b = append(b, addressIPv6)
	}
	return append(b, a.AsSlice()...)
}

// ReadRequest reads a request and nothing of what follows. A *ReplyError says what the client is to be answered; any
// other error is the stream's.
func ReadRequest(r io.Reader) (Request, error) {
	var buf [255 + 2]byte
	if _, err := io.ReadFull(r, buf[:3]); err != nil {
		return Request{}, err
	}
	version, command, kind := buf[0], Command(buf[1]), buf[2]
	switch {
	case version != headerVersion:
		return Request{}, &ReplyError{relay.CodeGeneralFailure,
			fmt.Sprintf("version %d of the opening header is not spoken", version)}
	case command != CommandConnect:
		return Request{}, &ReplyError{relay.CodeCommandNotSupported, fmt.Sprintf("command %d", command)}
	}
	req := Request{Command: command}
	n := 0
	switch kind {
	case addressIPv4:
		n = 4
	case addressIPv6:
		n = 16
	case addressName:
		if _, err := io.ReadFull(r, buf[:1]); err != nil {
			return Request{}, err
		}
		n = int(buf[0])
	}
	if n == 0 {
		return Request{}, &ReplyError{relay.CodeAddressTypeUnknown, fmt.Sprintf("address type %d, or an empty name", kind)}
	}
	if _, err := io.ReadFull(r, buf[:n+2]); err != nil {
		return Request{}, err
	}
	if kind == addressName {
		req.Target.Name = string(buf[:n])
	} else {
		addr, _ := netip.AddrFromSlice(buf[:n])
		req.Target.Addr = addr.Unmap()
	}
	req.Target.Port = binary.BigEndian.Uint16(buf[n:])
	return req, nil
}
