package plain

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"hawser/transport/wire"
)

// recordType tells what a record's value is (protocol.md §1.2).
type recordType uint8

// The types of record. Those below typeCritical may be skipped when they are not known.
const (
	typePad      recordType = 0x01 // to be skipped
	typeCritical recordType = 0x80

	typeOptions recordType = 0x80 // MPTCP options
	typeData    recordType = 0x81 // DSS with a mapping, then the payload
	typeAck     recordType = 0x82 // carrier acknowledgement and DATA_ACK
	typePing    recordType = 0x83 // 8 bytes, opaque
	typePong    recordType = 0x84 // the 8 bytes of the PING
)

// String is the type's name in protocol.md.
func (t recordType) String() string {
	switch t {
	case typeOptions:
		return "OPTIONS"
	case typeData:
		return "DATA"
	case typeAck:
		return "ACK"
	case typePing:
		return "PING"
	case typePong:
		return "PONG"
	case typePad:
		return "PAD"
	}
	return fmt.Sprintf("type %#02x", uint8(t))
}

const (
	headerLen       = 8 // with a CRC
	sealedHeaderLen = 4 // of a sealed record, which has a tag behind its value
	maxValue        = 0xffff
	maxRecord       = sealedHeaderLen + maxValue + tagLen
	// earlyOptions is the largest value of an OPTIONS record before the subflow is established, and the largest that
	// is ever sent.
	earlyOptions = 64
	// dataDSS is the length of the DSS in a DATA record as it is sent: 8-byte DSN, no checksum, no DATA_ACK.
	dataDSS = 18
	// MaxPayload is the payload that one DATA record can carry, bytes.
	MaxPayload = maxValue - dataDSS
	probeLen   = 8
)

// flagSealed in a header's flags: a tag behind the value stands for the CRC (protocol.md §1.6).
const flagSealed = 1

// castagnoli is the polynomial of CRC-32C (RFC 3720 §12.1).
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is the start of a record.
type header struct {
	Type   recordType
	Sealed bool
	Size   int // of the header: headerLen or sealedHeaderLen
	Len    int // of the value
	Tag    int // of what is behind the value
}

// whole is the length of the record.
func (h *header) whole() int { return h.Size + h.Len + h.Tag }

// consumeHeader reads a header; n is 0 when b is too short, else its size.
func consumeHeader(b []byte) (h header, n int) {
	if len(b) < sealedHeaderLen {
		return header{}, 0
	}
	h = header{Type: recordType(b[0]), Len: int(binary.BigEndian.Uint16(b[2:])), Size: headerLen}
	if b[1]&flagSealed != 0 {
		h.Sealed, h.Size, h.Tag = true, sealedHeaderLen, tagLen
	}
	if len(b) < h.Size {
		return header{}, 0
	}
	return h, h.Size
}

// unsealed makes records with a CRC.
var unsealed *sealer

// appendRecord adds a whole record that is no DATA. The value must not exceed maxValue.
func (s *sealer) appendRecord(b []byte, t recordType, value []byte) []byte {
	b, at := s.open(b, t)
	return s.close(append(b, value...), at)
}

// open adds a record's header, to be completed by close once the value has been appended.
func (s *sealer) open(b []byte, t recordType) (_ []byte, at int) {
	var h [headerLen]byte
	h[0] = byte(t)
	if s == nil {
		return append(b, h[:]...), len(b)
	}
	h[1] = flagSealed
	return append(b, h[:sealedHeaderLen]...), len(b)
}

// close completes the record that starts at b[at] and is no DATA: without a sealer it gets a CRC, else a tag. Records must
// be closed in the order in which they leave.
func (s *sealer) close(b []byte, at int) []byte {
	r := b[at:]
	if s == nil {
		setLen(r, len(r)-headerLen)
		binary.BigEndian.PutUint32(r[4:], checksum(r, nil))
		return b
	}
	setLen(r, len(r)-sealedHeaderLen)
	return s.seal(b, classOthers, nil, r)
}

// setLen sets the length of the value in a record's header.
func setLen(r []byte, n int) {
	if n > maxValue {
		panic("BUG: plain: record too long")
	}
	binary.BigEndian.PutUint16(r[2:], uint16(n))
}

// checksum is the CRC of a record of which body follows r.
func checksum(r, body []byte) uint32 {
	sum := crc32.Update(0, castagnoli, r[:4])
	sum = crc32.Update(sum, castagnoli, r[headerLen:])
	return crc32.Update(sum, castagnoli, body)
}

// intact says whether the CRC of a whole record (header and value) is right.
func intact(record []byte) bool {
	return checksum(record, nil) == binary.BigEndian.Uint32(record[4:])
}

// checkLen says whether a value of n bytes fits the type; the rest is the codec's to say.
func (t recordType) checkLen(n int) bool {
	switch t {
	case typeAck:
		return n == ackLen
	case typePing, typePong:
		return n == probeLen
	case typeData:
		return n >= dataDSS
	}
	return true
}

// violation is a reason to end a subflow that the peer, or the path, has given.
type violation struct {
	reason wire.ResetReason // told to the peer
	text   string
}

// Error says what was wrong, and what it means.
func (v *violation) Error() string { return v.text }

// altered is a violation that only a path can explain that changes bytes (protocol.md §1.2).
func altered(format string, args ...any) error {
	return &violation{wire.ResetMiddlebox, "the path altered data: " + fmt.Sprintf(format, args...)}
}

// misused is a violation of the protocol by the peer's program.
func misused(format string, args ...any) error {
	return &violation{wire.ResetProtocol, "protocol violation: " + fmt.Sprintf(format, args...)}
}
