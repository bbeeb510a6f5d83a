package wire

import "net/netip"

// Option is an MPTCP option (kind 30) of RFC 8684 §3. The implementations are the types below; a type switch tells
// them apart.
type Option interface {
	// Append adds the option as on the wire, kind and length included.
	Append(b []byte) []byte
	// String prints the option for logs and tests.
	String() string
}

// Stage tells the segments of a handshake apart; on the wire the option's length does.
type Stage uint8

// The stages of MP_CAPABLE (RFC 8684 §3.1) and MP_JOIN (§3.2).
const (
	StageSYN Stage = iota + 1
	StageSYNACK
	StageACK
	StageData // MP_CAPABLE with data: the raw carrier's first data segment
)

// MPCapable opens a connection (RFC 8684 §3.1).
type MPCapable struct {
	Stage       Stage
	Version     uint8  // 1
	Checksum    bool   // A: checksums required
	NoJoin      bool   // C: no subflows to this address and port
	Extensible  bool   // B: must be 0; an option with B set is ignored
	SHA256      bool   // H: HMAC-SHA256
	SenderKey   uint64 // all stages but StageSYN
	ReceiverKey uint64 // StageACK and StageData
	DataLen     uint16 // StageData
	DataSum     uint16 // StageData with HasSum
	HasSum      bool
}

// MPJoin adds a subflow (RFC 8684 §3.2).
type MPJoin struct {
	Stage     Stage
	Backup    bool     // StageSYN, StageSYNACK
	AddressID uint8    // StageSYN, StageSYNACK
	Token     uint32   // StageSYN: the receiver's
	Nonce     uint32   // StageSYN, StageSYNACK
	HMAC      [20]byte // StageSYNACK: the first 8 bytes; StageACK: 20
}

// DSS carries a mapping, a DATA_ACK, or both (RFC 8684 §3.3).
type DSS struct {
	HasAck   bool
	AckWide  bool // 8 bytes
	Ack      uint64
	HasMap   bool
	DSNWide  bool    // 8 bytes
	Map      Mapping // Len without the DATA_FIN
	Infinite bool    // data-level length 0: fallback (RFC 8684 §3.7)
	HasSum   bool
	Sum      uint16
}

// AddAddr announces an address (RFC 8684 §3.4.1).
type AddAddr struct {
	Echo bool
	ID   uint8
	Addr netip.Addr
	Port uint16  // 0: none on the wire
	HMAC [8]byte // with Echo none on the wire
}

// RemoveAddr withdraws addresses (RFC 8684 §3.4.2).
type RemoveAddr struct {
	N   int // how many of IDs count, 1–MaxRemove
	IDs [MaxRemove]uint8
}

// MaxRemove is the number of address ids that fit one REMOVE_ADDR: 40 bytes of options less 3.
const MaxRemove = 37

// MPPrio changes the backup flag of the subflow that carries it (RFC 8684 §3.3.8).
type MPPrio struct{ Backup bool }

// MPFail reports a checksum failure (RFC 8684 §3.7).
type MPFail struct{ DSN uint64 }

// MPFastclose ends the connection at once (RFC 8684 §3.5).
type MPFastclose struct{ Key uint64 }

// MPTCPRst says why a subflow is reset (RFC 8684 §3.6).
type MPTCPRst struct {
	U, V, W   bool
	Transient bool // T
	Reason    ResetReason
}
