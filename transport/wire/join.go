package wire

import (
	"encoding/binary"
	"fmt"
)

// MPJoin adds a subflow (RFC 8684 §3.2).
type MPJoin struct {
	Stage     Stage
	Backup    bool     // StageSYN, StageSYNACK
	AddressID uint8    // StageSYN, StageSYNACK
	Token     uint32   // StageSYN: the receiver's
	Nonce     uint32   // StageSYN, StageSYNACK
	HMAC      [20]byte // StageSYNACK: the first 8 bytes; StageACK: 20
}

// The lengths of MP_JOIN; they tell the stages apart.
const (
	joinSYN    = 12
	joinSYNACK = 16
	joinACK    = 24
)

// flagB is the backup flag of MP_JOIN and MP_PRIO.
const flagB = 0x01

// Append adds the option as on the wire.
func (o MPJoin) Append(b []byte) []byte {
	switch o.Stage {
	case StageSYN:
		b = append(appendHeader(b, joinSYN, subJoin, bit(o.Backup, flagB)), o.AddressID)
		b = binary.BigEndian.AppendUint32(b, o.Token)
		return binary.BigEndian.AppendUint32(b, o.Nonce)
	case StageSYNACK:
		b = append(appendHeader(b, joinSYNACK, subJoin, bit(o.Backup, flagB)), o.AddressID)
		b = append(b, o.HMAC[:8]...)
		return binary.BigEndian.AppendUint32(b, o.Nonce)
	case StageACK:
		b = append(appendHeader(b, joinACK, subJoin, 0), 0)
		return append(b, o.HMAC[:]...)
	}
	panic(fmt.Sprintf("BUG: wire: MP_JOIN of %v", o.Stage))
}

// consumeJoin reads a whole option.
func consumeJoin(b []byte) Option {
	var o MPJoin
	switch len(b) {
	case joinSYN:
		o.Stage = StageSYN
		o.Token = binary.BigEndian.Uint32(b[4:])
		o.Nonce = binary.BigEndian.Uint32(b[8:])
	case joinSYNACK:
		o.Stage = StageSYNACK
		copy(o.HMAC[:8], b[4:])
		o.Nonce = binary.BigEndian.Uint32(b[12:])
	case joinACK:
		o.Stage = StageACK
		copy(o.HMAC[:], b[4:])
		return o
	default:
		return nil
	}
	o.Backup = b[2]&flagB != 0
	o.AddressID = b[3]
	return o
}

// String prints the option.
func (o MPJoin) String() string {
	switch o.Stage {
	case StageSYN:
		return fmt.Sprintf("MP_JOIN syn id=%d%s token=%08x nonce=%08x",
			o.AddressID, mark(o.Backup, "backup"), o.Token, o.Nonce)
	case StageSYNACK:
		return fmt.Sprintf("MP_JOIN syn-ack id=%d%s hmac=%x nonce=%08x",
			o.AddressID, mark(o.Backup, "backup"), o.HMAC[:8], o.Nonce)
	}
	return fmt.Sprintf("MP_JOIN %v hmac=%x", o.Stage, o.HMAC)
}
