package wire

// Mapping says which data sequence numbers the bytes of a subflow have (RFC 8684 §3.3.1). A mapping never changes
// once it was sent.
type Mapping struct {
	DSN uint64 // data sequence number of the first byte
	SSN uint32 // relative subflow sequence number of the first byte, from 1; 0 for a lone DATA_FIN
	Len uint16 // payload bytes; a DATA_FIN is not counted here
	Fin bool   // DATA_FIN: one more data sequence number after the payload (RFC 8684 §3.3.3)
}

// End is the data sequence number after the mapping, its DATA_FIN counted.
func (m Mapping) End() uint64 {
	end := m.DSN + uint64(m.Len)
	if m.Fin {
		end++
	}
	return end
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
