package tunnel

import "encoding/binary"

// recordHeader is the size of a TLS record's header: type, version, u16 length of the body (RFC 8446 §5.1).
const recordHeader = 5

// records follows the boundaries of TLS records in the bytes that pass. A length that TLS does not allow is for TLS to
// refuse.
type records struct {
	head [recordHeader]byte
	have int // bytes of head that have passed
	body int // bytes of the record that are still to come; 0: the header is due
}

// due is how many bytes are left of the header or the body under way, at least one.
func (r *records) due() int {
	if r.body > 0 {
		return r.body
	}
	return recordHeader - r.have
}

// pass takes in bytes that have passed, at most those that were due.
func (r *records) pass(b []byte) {
	if r.body > 0 {
		r.body -= len(b)
		return
	}
	r.have += copy(r.head[r.have:], b)
	if r.have == recordHeader {
		r.have, r.body = 0, int(binary.BigEndian.Uint16(r.head[3:]))
	}
}
