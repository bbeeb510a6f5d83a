package wire

import (
	"encoding/binary"
	"fmt"
)

// Version is the MPTCP version that this package speaks (RFC 8684).
const Version = 1

// MPCapable opens a connection (RFC 8684 §3.1).
type MPCapable struct {
	Stage       Stage
	Version     uint8  // 1; a higher one is returned for StageSYN only, and is answered with 1
	Checksum    bool   // A: checksums required
	NoJoin      bool   // C: no subflows to this address and port
	Extensible  bool   // B: must be 0; an option with B set is ignored
	SHA256      bool   // H: HMAC-SHA256; an option without it is ignored
	SenderKey   uint64 // all stages but StageSYN
	ReceiverKey uint64 // StageACK and StageData
	DataLen     uint16 // StageData
	DataSum     uint16 // StageData with HasSum
	HasSum      bool   // StageData
}

// The lengths of MP_CAPABLE; they tell the stages apart.
const (
	capableSYN     = 4
	capableSYNACK  = 12
	capableACK     = 20
	capableData    = 22
	capableDataSum = 24
)

// The flags of MP_CAPABLE. D to G are reserved for other algorithms and ignored.
const (
	capableA = 0x80
	capableB = 0x40
	capableC = 0x20
	capableH = 0x01
)

// Append adds the option as on the wire.
func (o MPCapable) Append(b []byte) []byte {
	flags := bit(o.Checksum, capableA) | bit(o.Extensible, capableB) | bit(o.NoJoin, capableC) | bit(o.SHA256, capableH)
	b = appendHeader(b, o.size(), subCapable, o.Version&0x0f)
	b = append(b, flags)
	if o.Stage >= StageSYNACK {
		b = binary.BigEndian.AppendUint64(b, o.SenderKey)
	}
	if o.Stage >= StageACK {
		b = binary.BigEndian.AppendUint64(b, o.ReceiverKey)
	}
	if o.Stage == StageData {
		b = binary.BigEndian.AppendUint16(b, o.DataLen)
		if o.HasSum {
			b = binary.BigEndian.AppendUint16(b, o.DataSum)
		}
	}
	return b
}

// size is the option's length on the wire.
func (o MPCapable) size() int {
	switch o.Stage {
	case StageSYN:
		return capableSYN
	case StageSYNACK:
		return capableSYNACK
	case StageACK:
		return capableACK
	case StageData:
		if o.HasSum {
			return capableDataSum
		}
		return capableData
	}
	panic(fmt.Sprintf("BUG: wire: MP_CAPABLE of %v", o.Stage))
}

// consumeCapable reads a whole option. RFC 8684 §3.1 tells a host to ignore one with B set and one without an
// algorithm that it knows; version 0 is another protocol.
func consumeCapable(b []byte) Option {
	if len(b) < capableSYN {
		return nil
	}
	flags := b[3]
	o := MPCapable{
		Version:  b[2] & 0x0f,
		Checksum: flags&capableA != 0,
		NoJoin:   flags&capableC != 0,
		SHA256:   flags&capableH != 0,
	}
	if flags&capableB != 0 || !o.SHA256 || o.Version == 0 {
		return nil
	}
	switch len(b) {
	case capableSYN:
		o.Stage = StageSYN
	case capableSYNACK:
		o.Stage = StageSYNACK
	case capableACK:
		o.Stage = StageACK
	case capableData, capableDataSum:
		o.Stage = StageData
	default:
		return nil
	}
	if o.Version != Version && o.Stage != StageSYN {
		return nil // only a SYN may ask for more than is answered
	}
	if o.Stage >= StageSYNACK {
		o.SenderKey = binary.BigEndian.Uint64(b[4:])
	}
	if o.Stage >= StageACK {
		o.ReceiverKey = binary.BigEndian.Uint64(b[12:])
	}
	if o.Stage == StageData {
		o.DataLen = binary.BigEndian.Uint16(b[20:])
		if o.HasSum = len(b) == capableDataSum; o.HasSum {
			o.DataSum = binary.BigEndian.Uint16(b[22:])
		}
	}
	return o
}

// String prints the option. The keys are in it: RFC 8684 sends them in clear, and sessions do not rely on them alone.
func (o MPCapable) String() string {
	s := fmt.Sprintf("MP_CAPABLE %v v%d", o.Stage, o.Version)
	s += mark(o.Checksum, "A") + mark(o.Extensible, "B") + mark(o.NoJoin, "C") + mark(o.SHA256, "H")
	if o.Stage >= StageSYNACK {
		s += fmt.Sprintf(" sender=%016x", o.SenderKey)
	}
	if o.Stage >= StageACK {
		s += fmt.Sprintf(" receiver=%016x", o.ReceiverKey)
	}
	if o.Stage == StageData {
		s += fmt.Sprintf(" len=%d", o.DataLen)
		if o.HasSum {
			s += fmt.Sprintf(" sum=%04x", o.DataSum)
		}
	}
	return s
}
