package tunnel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxMessage is the most that follows the length of a hello or welcome, bytes (docs/protocol.md §2.2).
const maxMessage = 1024

// errMessage is wrapped by every complaint about a hello or a welcome.
var errMessage = errors.New("malformed message")

// appendMessage writes a message whose fields are made by fill.
func appendMessage(b []byte, fill func([]byte) []byte) []byte {
	start := len(b)
	b = fill(append(b, 0, 0))
	binary.BigEndian.PutUint16(b[start:], uint16(len(b)-start-2))
	return b
}

// appendField writes one field; value has at most 255 bytes.
func appendField(b []byte, kind uint8, value ...byte) []byte {
	return append(append(b, kind, uint8(len(value))), value...)
}

func appendField16(b []byte, kind uint8, v uint16) []byte {
	return appendField(b, kind, binary.BigEndian.AppendUint16(nil, v)...)
}

func appendField32(b []byte, kind uint8, v uint32) []byte {
	return appendField(b, kind, binary.BigEndian.AppendUint32(nil, v)...)
}

// appendText writes a field of text, cut between characters to at most limit bytes.
func appendText(b []byte, kind uint8, text string, limit int) []byte {
	return appendField(b, kind, []byte(clip(text, limit))...)
}

// clip makes valid UTF-8 of at most limit bytes.
func clip(text string, limit int) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}

// readMessage reads one message and returns its fields.
func readMessage(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(head[:])
	if n > maxMessage {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are allowed", errMessage, n, maxMessage)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	return body, nil
}

// eachField hands the fields of a message to use, which tells whether the value has a length that fits.
func eachField(body []byte, use func(kind uint8, value []byte) bool) error {
	var seen [256]bool
	for len(body) > 0 {
		if len(body) < 2 || len(body) < 2+int(body[1]) {
			return fmt.Errorf("%w: a field is cut off", errMessage)
		}
		kind, value := body[0], body[2:2+int(body[1])]
		if seen[kind] {
			return fmt.Errorf("%w: field %d is there twice", errMessage, kind)
		}
		seen[kind] = true
		if !use(kind, value) {
			return fmt.Errorf("%w: field %d does not take these %d bytes", errMessage, kind, len(value))
		}
		body = body[2+len(value):]
	}
	return nil
}

func field8(v []byte, to *uint8) bool {
	if len(v) != 1 {
		return false
	}
	*to = v[0]
	return true
}

func field16(v []byte, to *uint16) bool {
	if len(v) != 2 {
		return false
	}
	*to = binary.BigEndian.Uint16(v)
	return true
}

func field32(v []byte, to *uint32) bool {
	if len(v) != 4 {
		return false
	}
	*to = binary.BigEndian.Uint32(v)
	return true
}

func fieldText(v []byte, to *string, limit int) bool {
	if len(v) > limit || !utf8.Valid(v) {
		return false
	}
	*to = string(v)
	return true
}
