package mux

import (
	"encoding/binary"
	"fmt"
)

// Sizes of the frames of yamux (spec.md of hashicorp/yamux).
const (
	headerSize = 12
	// frameSize is the most that one frame may measure, header included: what one TLS record takes (RFC 8446 §5.1),
	// for connections below that are TLS.
	frameSize = 16 << 10
	// payloadSize is the most application data that one frame carries.
	payloadSize = frameSize - headerSize
	// initialWindow is the window of a new stream while memory is plentiful. The specification of yamux has it too, as
	// what may be sent before any update; here that is minWindow, and the rest is allowed by the frames that open and
	// accept the stream.
	initialWindow = 256 << 10
)

// kind is the type of a frame.
type kind uint8

// The kinds of frame.
const (
	kindData   kind = iota // length: bytes that follow
	kindWindow             // length: bytes by which the window grows; with RST an error code
	kindPing               // length: opaque
	kindGoAway             // length: error code
)

// flags of a frame.
type flags uint16

// The flags.
const (
	flagSYN flags = 1 << iota
	flagACK
	flagFIN
	flagRST
	// flagRecall and flagReturn are not in yamux, and the library never sees them. Recall on a window update asks the
	// peer to give back the window that it does not use, but for minWindow; Return answers it, with the bytes given back
	// as length, 0 included.
	flagRecall
	flagReturn
)

func (f flags) has(g flags) bool { return f&g != 0 }

// header is the fixed part of a frame.
type header struct {
	version uint8
	kind    kind
	flags   flags
	id      uint32
	length  uint32
}

// parseHeader reads the first headerSize bytes of b.
func parseHeader(b []byte) header {
	return header{
		version: b[0],
		kind:    kind(b[1]),
		flags:   flags(binary.BigEndian.Uint16(b[2:])),
		id:      binary.BigEndian.Uint32(b[4:]),
		length:  binary.BigEndian.Uint32(b[8:]),
	}
}

// appendHeader is the inverse of parseHeader.
func appendHeader(b []byte, h header) []byte {
	b = append(b, h.version, uint8(h.kind))
	b = binary.BigEndian.AppendUint16(b, uint16(h.flags))
	b = binary.BigEndian.AppendUint32(b, h.id)
	return binary.BigEndian.AppendUint32(b, h.length)
}

// body is how many bytes follow the header.
func (h header) body() int {
	if h.kind == kindData {
		return int(h.length)
	}
	return 0
}

// String gives the frame as a test shows it: "data ACK id 5 length 12".
func (h header) String() string {
	s := fmt.Sprintf("kind(%d)", h.kind)
	if names := [...]string{"data", "window", "ping", "goaway"}; int(h.kind) < len(names) {
		s = names[h.kind]
	}
	for i, name := range [...]string{"SYN", "ACK", "FIN", "RST", "RECALL", "RETURN"} {
		if h.flags.has(1 << i) {
			s += " " + name
		}
	}
	return fmt.Sprintf("%s id %d length %d", s, h.id, h.length)
}
