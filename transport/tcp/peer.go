package tcp

// peer is what the handshake has agreed with the other side.
type peer struct {
	mss       int   // its MSS option: payload and TCP options of one packet (RFC 6691)
	scale     uint8 // its window scale, if scaled
	scaled    bool  // both have sent the option (RFC 7323 §2.2)
	ownScale  uint8 // ours
	sack      bool  // both have sent SACK-permitted (RFC 2018 §2)
	stamped   bool  // both have sent timestamps in their SYNs (RFC 7323 §3.2)
	ecn       bool  // both can (RFC 3168 §6.1.1)
	defaulted bool  // it has sent no MSS option
}

// maxScale is the largest shift count (RFC 7323 §2.3: "If a Window Scale option is received with a shift.cnt value
// larger than 14, the TCP SHOULD log the error but MUST use 14 instead").
const maxScale = 14

// maxWindow is the largest window: below 2³⁰, so that a window's sequence numbers can be told from old ones (RFC 7323 §2.3).
const maxWindow = 1<<30 - 1

// scaleFor is the smallest shift that expresses a window of n bytes, and at least 8: windows of 64 kB and less are too
// small for the paths of today.
func scaleFor(n int) uint8 {
	s := uint8(8)
	for s < maxScale && 0xffff<<s < n {
		s++
	}
	return s
}
