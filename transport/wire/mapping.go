package wire

import "fmt"

// Mapping says which data sequence numbers the bytes of a subflow have (RFC 8684 §3.3.1). A mapping never changes
// once it was sent.
type Mapping struct {
	DSN uint64 // data sequence number of the first byte
	SSN uint32 // relative subflow sequence number of the first byte, from 1; 0 for a lone DATA_FIN
	Len uint16 // payload bytes; a DATA_FIN is not counted here
	Fin bool   // DATA_FIN: one more data sequence number after the payload (RFC 8684 §3.3.3)
}

// End is the data sequence number after the mapping, its DATA_FIN counted.
func (m Mapping) End() uint64 { return m.DSN + uint64(m.dataLen()) }

// dataLen is the data-level length: payload and DATA_FIN.
func (m Mapping) dataLen() uint32 {
	n := uint32(m.Len)
	if m.Fin {
		n++
	}
	return n
}

// String prints the mapping for logs and tests.
func (m Mapping) String() string {
	return fmt.Sprintf("dsn=%016x ssn=%d len=%d%s", m.DSN, m.SSN, m.Len, mark(m.Fin, "fin"))
}
