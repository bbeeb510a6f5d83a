package wire

import (
	"encoding/binary"
	"fmt"
)

// The lengths of the options below; each has one.
const (
	prioLen      = 3
	failLen      = 12
	fastcloseLen = 12
	resetLen     = 4
)

// MPPrio changes the backup flag of the subflow that carries it (RFC 8684 §3.3.8).
type MPPrio struct{ Backup bool }

// Append adds the option as on the wire.
func (o MPPrio) Append(b []byte) []byte {
	return appendHeader(b, prioLen, subPrio, bit(o.Backup, flagB))
}

func consumePrio(b []byte) Option {
	if len(b) != prioLen {
		return nil
	}
	return MPPrio{Backup: b[2]&flagB != 0}
}

// String prints the option.
func (o MPPrio) String() string {
	if o.Backup {
		return "MP_PRIO backup"
	}
	return "MP_PRIO regular"
}

// MPFail reports a checksum failure (RFC 8684 §3.7).
type MPFail struct{ DSN uint64 }

// Append adds the option as on the wire.
func (o MPFail) Append(b []byte) []byte {
	return binary.BigEndian.AppendUint64(append(appendHeader(b, failLen, subFail, 0), 0), o.DSN)
}

func consumeFail(b []byte) Option {
	if len(b) != failLen {
		return nil
	}
	return MPFail{DSN: binary.BigEndian.Uint64(b[4:])}
}

// String prints the option.
func (o MPFail) String() string { return fmt.Sprintf("MP_FAIL dsn=%016x", o.DSN) }

// MPFastclose ends the connection at once (RFC 8684 §3.5). Key is the receiver's; between two Hawser ends it is a
// value that only they can compute (docs/protocol.md §1.3).
type MPFastclose struct{ Key uint64 }

// Append adds the option as on the wire.
func (o MPFastclose) Append(b []byte) []byte {
	return binary.BigEndian.AppendUint64(append(appendHeader(b, fastcloseLen, subFastclose, 0), 0), o.Key)
}

func consumeFastclose(b []byte) Option {
	if len(b) != fastcloseLen {
		return nil
	}
	return MPFastclose{Key: binary.BigEndian.Uint64(b[4:])}
}

// String prints the option.
func (o MPFastclose) String() string { return fmt.Sprintf("MP_FASTCLOSE key=%016x", o.Key) }

// MPTCPRst says why a subflow is reset (RFC 8684 §3.6).
type MPTCPRst struct {
	U, V, W   bool // without a meaning yet: leave them false, do not act on them
	Transient bool // T: the sender expects the condition to pass
	Reason    ResetReason
}

// ResetReason is the reason code of MP_TCPRST (RFC 8684 §3.6).
type ResetReason uint8

// The reason codes of RFC 8684 §3.6.
const (
	ResetUnspecified ResetReason = 0
	ResetProtocol    ResetReason = 1 // MPTCP-specific error
	ResetResources   ResetReason = 2 // lack of resources
	ResetProhibited  ResetReason = 3 // administratively prohibited
	ResetOutstanding ResetReason = 4 // too much outstanding data
	ResetPerformance ResetReason = 5 // unacceptable performance
	ResetMiddlebox   ResetReason = 6 // middlebox interference
)

// The flags of MP_TCPRST.
const (
	resetU = 0x08
	resetV = 0x04
	resetW = 0x02
	resetT = 0x01
)

// Append adds the option as on the wire.
func (o MPTCPRst) Append(b []byte) []byte {
	flags := bit(o.U, resetU) | bit(o.V, resetV) | bit(o.W, resetW) | bit(o.Transient, resetT)
	return append(appendHeader(b, resetLen, subReset, flags), byte(o.Reason))
}

func consumeReset(b []byte) Option {
	if len(b) != resetLen {
		return nil
	}
	f := b[2]
	return MPTCPRst{
		U: f&resetU != 0, V: f&resetV != 0, W: f&resetW != 0, Transient: f&resetT != 0,
		Reason: ResetReason(b[3]),
	}
}

// String prints the option.
func (o MPTCPRst) String() string {
	return "MP_TCPRST " + o.Reason.String() +
		mark(o.U, "U") + mark(o.V, "V") + mark(o.W, "W") + mark(o.Transient, "transient")
}

// String is the reason in words, as logs and status show it.
func (r ResetReason) String() string {
	switch r {
	case ResetUnspecified:
		return "unspecified"
	case ResetProtocol:
		return "MPTCP-specific error"
	case ResetResources:
		return "lack of resources"
	case ResetProhibited:
		return "administratively prohibited"
	case ResetOutstanding:
		return "too much outstanding data"
	case ResetPerformance:
		return "unacceptable performance"
	case ResetMiddlebox:
		return "middlebox interference"
	}
	return fmt.Sprintf("reason %d", uint8(r))
}
