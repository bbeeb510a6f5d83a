package wire

import (
	"encoding/binary"
	"fmt"
)

// MaxTCPOptions is how many bytes of options a TCP header can hold (RFC 9293 §3.1).
const MaxTCPOptions = 40

// MaxSACK is how many blocks fit into the options when nothing else is there (RFC 2018 §3).
const MaxSACK = 4

// The kinds of TCP options that are known here.
const (
	kindEnd           = 0
	kindNOP           = 1
	kindMSS           = 2 // RFC 9293 §3.7.1
	kindWindowScale   = 3 // RFC 7323 §2.2
	kindSACKPermitted = 4 // RFC 2018 §2
	kindSACK          = 5 // RFC 2018 §3
	kindTimestamps    = 8 // RFC 7323 §3.2
)

// Lengths of options as they are laid out, alignment included.
const (
	TimestampsLen = 12 // two NOPs before them
	sackHeadLen   = 4  // two NOPs, kind, length
	sackBlockLen  = 8
)

// A SACKBlock is a run of bytes that was received: Start is its first, End the one after its last (RFC 2018 §3).
type SACKBlock struct{ Start, End Seq }

// TCPOptions are the options of one segment. The zero value is none.
type TCPOptions struct {
	MSS            uint16 // 0: not there
	WindowScale    uint8  // shift count, if HasWindowScale
	HasWindowScale bool
	SACKPermitted  bool
	HasTimestamps  bool
	TSVal, TSEcr   uint32
	NumSACK        uint8
	SACK           [MaxSACK]SACKBlock

	// The options of kind 30, one after the other as on the wire; see MPTCP.
	numMPTCP uint8
	mptcp    [MaxTCPOptions]byte
}

// MPTCP is the options of kind 30, for ConsumeOptions; it must not be kept.
func (o *TCPOptions) MPTCP() []byte { return o.mptcp[:o.numMPTCP] }

// SetMPTCP sets the options of kind 30, which were made by AppendOptions or AppendDSS. More than 40 bytes fit into no
// header and are a mistake of the caller.
func (o *TCPOptions) SetMPTCP(b []byte) {
	if len(b) > MaxTCPOptions {
		panic("BUG: wire: more options than a TCP header holds")
	}
	o.numMPTCP = uint8(copy(o.mptcp[:], b))
}

// AddSACK adds a block; false when no more fit into the array.
func (o *TCPOptions) AddSACK(b SACKBlock) bool {
	if o.NumSACK == MaxSACK {
		return false
	}
	o.SACK[o.NumSACK] = b
	o.NumSACK++
	return true
}

// SACKRoom is how many SACK blocks fit beside what is set, at most MaxSACK.
func (o *TCPOptions) SACKRoom() int {
	used := *o
	used.NumSACK = 0
	return min(MaxSACK, max(0, (MaxTCPOptions-used.Len()-sackHeadLen)/sackBlockLen))
}

// Len is how many bytes the options take in a header, a multiple of 4.
func (o *TCPOptions) Len() int {
	n := 0
	if o.MSS != 0 {
		n += 4
	}
	if o.HasTimestamps {
		n += TimestampsLen
	} else if o.SACKPermitted {
		n += 4
	}
	if o.HasWindowScale {
		n += 4
	}
	if o.NumSACK > 0 {
		n += sackHeadLen + sackBlockLen*int(o.NumSACK)
	}
	return n + (int(o.numMPTCP)+3)&^3
}

// append adds the options, padded to a multiple of 4. Their order and alignment are those that Linux uses, which
// middleboxes know best, and SACK-permitted takes the place of the NOPs before the timestamps.
func (o *TCPOptions) append(b []byte) []byte {
	if n := o.Len(); n > MaxTCPOptions {
		panic(fmt.Sprintf("BUG: wire: %d bytes of TCP options", n))
	}
	if o.MSS != 0 {
		b = binary.BigEndian.AppendUint16(append(b, kindMSS, 4), o.MSS)
	}
	switch {
	case o.SACKPermitted && o.HasTimestamps:
		b = append(b, kindSACKPermitted, 2)
	case o.SACKPermitted:
		b = append(b, kindNOP, kindNOP, kindSACKPermitted, 2)
	case o.HasTimestamps:
		b = append(b, kindNOP, kindNOP)
	}
	if o.HasTimestamps {
		b = binary.BigEndian.AppendUint32(append(b, kindTimestamps, 10), o.TSVal)
		b = binary.BigEndian.AppendUint32(b, o.TSEcr)
	}
	if o.HasWindowScale {
		b = append(b, kindNOP, kindWindowScale, 3, o.WindowScale)
	}
	b = append(b, o.MPTCP()...)
	for n := o.numMPTCP; n%4 != 0; n++ {
		b = append(b, kindNOP)
	}
	if o.NumSACK > 0 {
		b = append(b, kindNOP, kindNOP, kindSACK, 2+sackBlockLen*o.NumSACK)
		for _, block := range o.SACK[:o.NumSACK] {
			b = binary.BigEndian.AppendUint32(b, uint32(block.Start))
			b = binary.BigEndian.AppendUint32(b, uint32(block.End))
		}
	}
	return b
}

// Consume reads the options of a TCP header, all of b, into o; -1 when one of them is longer than what is left or
// shorter than its own head: then nobody knows where the next begins, and the segment is not to be trusted. Options
// of unknown kind or of a length that their kind does not have are skipped (RFC 9293 §3.1, MUST-6).
func (o *TCPOptions) Consume(b []byte) (n int) {
	*o = TCPOptions{}
	n = len(b)
	for len(b) > 0 {
		switch b[0] {
		case kindEnd:
			return n
		case kindNOP:
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return -1
		}
		o.set(b[:b[1]])
		b = b[b[1]:]
	}
	return n
}

// set takes one whole option.
func (o *TCPOptions) set(b []byte) {
	body := b[2:]
	switch {
	case b[0] == kindMSS && len(body) == 2:
		o.MSS = binary.BigEndian.Uint16(body)
	case b[0] == kindWindowScale && len(body) == 1:
		o.WindowScale, o.HasWindowScale = body[0], true
	case b[0] == kindSACKPermitted && len(body) == 0:
		o.SACKPermitted = true
	case b[0] == kindTimestamps && len(body) == 8:
		o.HasTimestamps = true
		o.TSVal, o.TSEcr = binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
	case b[0] == kindSACK && len(body)%sackBlockLen == 0:
		for ; len(body) > 0; body = body[sackBlockLen:] {
			o.AddSACK(SACKBlock{Seq(binary.BigEndian.Uint32(body)), Seq(binary.BigEndian.Uint32(body[4:]))})
		}
	case b[0] == KindMPTCP:
		o.numMPTCP += uint8(copy(o.mptcp[o.numMPTCP:], b))
	}
}

// String prints what is set, each with a space before it.
func (o *TCPOptions) String() string {
	text := ""
	if o.MSS != 0 {
		text += fmt.Sprintf(" mssopt=%d", o.MSS)
	}
	if o.HasWindowScale {
		text += fmt.Sprintf(" ws=%d", o.WindowScale)
	}
	text += mark(o.SACKPermitted, "sackok")
	if o.HasTimestamps {
		text += fmt.Sprintf(" ts=%d/%d", o.TSVal, o.TSEcr)
	}
	for _, b := range o.SACK[:o.NumSACK] {
		text += fmt.Sprintf(" sack=%d-%d", uint32(b.Start), uint32(b.End))
	}
	if o.numMPTCP > 0 {
		text += fmt.Sprintf(" mptcp=%x", o.MPTCP())
	}
	return text
}
