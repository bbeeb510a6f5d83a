package wire

import (
	"fmt"
	"net/netip"
	"strings"
)

// A Segment is one TCP segment as a machine sees it: headers as values, payload by reference. It may stand for several
// packets with the same options (segmentation and receive offload): then Len is above MSS.
//
// A Segment is reused: Consume and whoever fills one overwrite it whole, and keep the capacity of Data.
type Segment struct {
	Src, Dst netip.AddrPort
	Seq, Ack Seq
	Flags    Flags
	ECN      ECN
	Window   uint16 // as on the wire, not scaled
	Urgent   uint16
	HopLimit uint8 // time to live; 0 stands for 64 when the segment is appended
	Options  TCPOptions

	// Data is the payload in order, Len the sum of its lengths. Nobody writes to it. Outgoing: at most MaxPieces of them.
	Data [][]byte
	Len  int
	// MSS is the payload that one packet of this segment carries. Outgoing: when Len is above it, the segment has to be
	// cut at multiples of it, by the system or by hand (Cut). Incoming: 0 when the packets that were merged are not known.
	MSS int
	// Control, outgoing: the segment is of a handshake, a RST, a keep-alive, or answers an expired retransmission timer.
	// Where there are two ways to send, it takes the one that works when the other does not.
	Control bool
	// Fragment, outgoing, IPv4: routers may cut the packets up, for there is one on the path that takes none of a useful
	// size. Whoever sends it gives each packet an identification of its own (RFC 6864 §4.3); AppendHeaders has only 0.
	Fragment bool
	// Owner holds the memory of an incoming payload; nil: the payload is an allocation of its own. Pinned is how much
	// memory that is, bytes: a small payload in a large buffer is better copied than kept.
	Owner  Owner
	Pinned int
}

// MaxPieces is how many pieces the payload of an outgoing segment may have: who sends it gathers them in one system call,
// whose list is bounded.
const MaxPieces = 256

// An Owner counts the holders of memory that is passed by reference. transport.Buffer is one.
type Owner interface {
	Retain()
	Release()
}

// Flags are the control bits of a TCP header (RFC 9293 §3.1).
type Flags uint8

// The control bits.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// Has tells whether all bits of want are set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// String lists the bits, "SYN|ACK".
func (f Flags) String() string {
	names := [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"}
	var set []string
	for i, name := range names {
		if f&(1<<i) != 0 {
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		return "none"
	}
	return strings.Join(set, "|")
}

// ECN is the field of that name in an IP header (RFC 3168 §5).
type ECN uint8

// The code points of ECN.
const (
	NotECT ECN = iota
	ECT1
	ECT0
	CE // congestion experienced
)

// SpaceLen is how much of the sequence space the segment takes: SYN and FIN count one each (RFC 9293 §3.4).
func (s *Segment) SpaceLen() int {
	n := s.Len
	if s.Flags.Has(SYN) {
		n++
	}
	if s.Flags.Has(FIN) {
		n++
	}
	return n
}

// Reset makes the segment empty, and keeps the capacity of Data.
func (s *Segment) Reset() { *s = Segment{Data: s.Data[:0]} }

// String prints the segment as tests and logs show it.
func (s *Segment) String() string {
	text := fmt.Sprintf("%v seq=%d", s.Flags, uint32(s.Seq))
	if s.Flags.Has(ACK) {
		text += fmt.Sprintf(" ack=%d", uint32(s.Ack))
	}
	text += fmt.Sprintf(" win=%d len=%d", s.Window, s.Len)
	if s.MSS > 0 && s.Len > s.MSS {
		text += fmt.Sprintf(" mss=%d", s.MSS)
	}
	if s.ECN != NotECT {
		text += fmt.Sprintf(" ecn=%d", s.ECN)
	}
	return text + s.Options.String()
}

// Cut makes part the packet of s that begins at byte from of its payload, for a system that cannot cut, and returns
// where the next one begins; it is s.Len after the last. FIN and PSH stay on the last packet, CWR on the first, as
// segmentation offload does it.
func (s *Segment) Cut(from int, part *Segment) (next int) {
	size := s.Len - from
	if s.MSS > 0 {
		size = min(size, s.MSS)
	}
	data := part.Data[:0]
	*part = *s
	part.Data, part.Len = data, size
	part.Seq = s.Seq.Add(from)
	if from > 0 {
		part.Flags &^= CWR
	}
	next = from + size
	if next < s.Len {
		part.Flags &^= FIN | PSH
	}
	for _, b := range s.Data {
		switch {
		case size == 0:
		case from >= len(b):
			from -= len(b)
		default:
			b = b[from:min(len(b), from+size)]
			from, size = 0, size-len(b)
			part.Data = append(part.Data, b)
		}
	}
	return next
}
