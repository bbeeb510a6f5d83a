package wire

// Seq is a 32-bit sequence number of TCP or of a subflow, compared modulo 2³² (RFC 9293 §3.4).
type Seq uint32

// Add is the number n after s, or before it when n is negative.
func (s Seq) Add(n int) Seq { return s + Seq(n) }

// Diff is how far s is after t: negative when it is before it. The two must be less than 2³¹ apart.
func (s Seq) Diff(t Seq) int { return int(int32(s - t)) }

// Less says that s comes before t.
func (s Seq) Less(t Seq) bool { return s.Diff(t) < 0 }

// DSNDiff is how far the data sequence number a is after b: negative when it is before it. A session starts
// anywhere in the 64 bits (RFC 8684 §3.1), so data sequence numbers wrap too and are never compared with <.
func DSNDiff(a, b uint64) int64 { return int64(a - b) }

// DSNLess says that the data sequence number a comes before b.
func DSNLess(a, b uint64) bool { return DSNDiff(a, b) < 0 }

// Promote makes a 64-bit data sequence number of its lower 32 bits: the one that is nearest to ref, which has those
// bits (RFC 8684 §3.3.1). So an old number around a wrap stays an old one, and is not taken for one of 4 GB ahead.
// When ref is a number the session expects now, anything less than 2 GB away is right.
func Promote(ref uint64, low uint32) uint64 {
	return ref + uint64(int64(int32(low-uint32(ref))))
}
