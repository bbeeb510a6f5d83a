package wire

import "fmt"

// Option is an MPTCP option (kind 30) of RFC 8684 §3. The implementations are the value types of this package:
// MPCapable, MPJoin, DSS, AddAddr, RemoveAddr, MPPrio, MPFail, MPFastclose and MPTCPRst; a type switch tells them apart.
type Option interface {
	// Append adds the option as on the wire, kind and length included.
	Append(b []byte) []byte
	// String prints the option for logs and tests.
	String() string
}

// KindMPTCP is the TCP option kind of all MPTCP options (RFC 8684 §8).
const KindMPTCP = 30

// subtype is the high half of an option's third byte (RFC 8684 §8, table "MPTCP Option Subtypes").
type subtype uint8

const (
	subCapable    subtype = 0
	subJoin       subtype = 1
	subDSS        subtype = 2
	subAddAddr    subtype = 3
	subRemoveAddr subtype = 4
	subPrio       subtype = 5
	subFail       subtype = 6
	subFastclose  subtype = 7
	subReset      subtype = 8
)

// headerLen is kind, length, and subtype with four flags: what every MPTCP option has.
const headerLen = 3

// Stage tells the segments of a handshake apart; on the wire the option's length does.
type Stage uint8

// The stages of MP_CAPABLE (RFC 8684 §3.1) and MP_JOIN (§3.2).
const (
	StageSYN Stage = iota + 1
	StageSYNACK
	StageACK
	StageData // MP_CAPABLE with data: the raw carrier's first data segment
)

// String is the segment's name: "syn", "syn-ack", "ack", "data".
func (s Stage) String() string {
	switch s {
	case StageSYN:
		return "syn"
	case StageSYNACK:
		return "syn-ack"
	case StageACK:
		return "ack"
	case StageData:
		return "data"
	}
	return fmt.Sprintf("stage(%d)", uint8(s))
}

// AppendOptions adds opts one after the other, nothing between them.
func AppendOptions(b []byte, opts ...Option) []byte {
	for _, o := range opts {
		b = o.Append(b)
	}
	return b
}

// ConsumeOption reads the option that b starts with, and returns it and its length. A negative n means that b does
// not start with a whole MPTCP option. A nil option with n > 0 is one to skip: of a subtype or a length that RFC 8684
// does not know, or one that it tells a receiver to ignore.
func ConsumeOption(b []byte) (o Option, n int) {
	n = optionLen(b)
	if n < headerLen { // bad, or too short to have a subtype: nothing to return
		return nil, n
	}
	b = b[:n]
	switch subtype(b[2] >> 4) {
	case subCapable:
		o = consumeCapable(b)
	case subJoin:
		o = consumeJoin(b)
	case subDSS:
		o = consumeDSS(b)
	case subAddAddr:
		o = consumeAddAddr(b)
	case subRemoveAddr:
		o = consumeRemoveAddr(b)
	case subPrio:
		o = consumePrio(b)
	case subFail:
		o = consumeFail(b)
	case subFastclose:
		o = consumeFastclose(b)
	case subReset:
		o = consumeReset(b)
	}
	return o, n
}

// ConsumeOptions reads a run of MPTCP options that fills b, adds those that are known to dst, and returns it and
// len(b); n is negative when anything but whole MPTCP options is in b, and dst then holds what came before it.
// At most len(b)/3 options are added.
func ConsumeOptions(b []byte, dst []Option) (_ []Option, n int) {
	for n < len(b) {
		o, used := ConsumeOption(b[n:])
		if used < 0 {
			return dst, -1
		}
		if o != nil {
			dst = append(dst, o)
		}
		n += used
	}
	return dst, n
}

// optionLen is the length of the MPTCP option at the start of b, or -1 when there is no whole one.
func optionLen(b []byte) int {
	if len(b) < 2 || b[0] != KindMPTCP || b[1] < 2 || int(b[1]) > len(b) {
		return -1
	}
	return int(b[1])
}

// appendHeader adds kind, length n, and subtype s with the four flag bits beside it.
func appendHeader(b []byte, n int, s subtype, flags byte) []byte {
	return append(b, KindMPTCP, byte(n), byte(s)<<4|flags)
}

// bit is mask when on, else 0.
func bit(on bool, mask byte) byte {
	if on {
		return mask
	}
	return 0
}

// mark is " "+name when on, else empty: a flag as String shows it.
func mark(on bool, name string) string {
	if on {
		return " " + name
	}
	return ""
}
