package middlebox

import (
	"bytes"
	"encoding/binary"
)

// Kinds of TCP options (IANA, "TCP Option Kind Numbers").
const (
	kindEnd           = 0
	kindNOP           = 1
	kindMSS           = 2
	kindWindowScale   = 3
	kindSACKPermitted = 4
	kindSACK          = 5
	kindTimestamps    = 8
	kindMPTCP         = 30
)

// subtypeJoin is MP_JOIN among the MPTCP options (RFC 8684 §3.2).
const subtypeJoin = 1

// eachOption calls f for every option with its bytes, kind and length included; NOPs are options too. It stops at the
// end of the list, or where a length is wrong.
func eachOption(options []byte, f func(option []byte)) {
	for len(options) > 0 && options[0] != kindEnd {
		n := 1
		if options[0] != kindNOP {
			if len(options) < 2 || options[1] < 2 || int(options[1]) > len(options) {
				return
			}
			n = int(options[1])
		}
		f(options[:n])
		options = options[n:]
	}
}

// keepOptions returns the options for which keep is true, and how many it is not. blank puts NOPs in place of the
// others, so that nothing moves; else they are removed.
func keepOptions(options []byte, blank bool, keep func(option []byte) bool) (kept []byte, dropped int) {
	eachOption(options, func(o []byte) {
		switch {
		case keep(o):
			kept = append(kept, o...)
		case blank:
			kept = append(kept, bytes.Repeat([]byte{kindNOP}, len(o))...)
			dropped++
		default:
			dropped++
		}
	})
	return kept, dropped
}

// padded ends a list of options so that its length is a multiple of four.
func padded(options []byte) []byte {
	if len(options)%4 == 0 {
		return options
	}
	return append(bytes.Clone(options), make([]byte, 4-len(options)%4)...)
}

// findOption returns the first option of a kind; nil: there is none.
func findOption(options []byte, kind byte) (found []byte) {
	eachOption(options, func(o []byte) {
		if o[0] == kind && found == nil {
			found = o
		}
	})
	return found
}

// isJoin reports whether an option is an MP_JOIN.
func isJoin(o []byte) bool { return o[0] == kindMPTCP && len(o) > 2 && o[2]>>4 == subtypeJoin }

// eachSACKEdge replaces each edge of the SACK blocks (RFC 2018 §3). The options must belong to the caller.
func eachSACKEdge(options []byte, replace func(edge uint32) uint32) {
	eachOption(options, func(o []byte) {
		if o[0] != kindSACK {
			return
		}
		for b := o[2:]; len(b) >= 4; b = b[4:] {
			binary.BigEndian.PutUint32(b, replace(binary.BigEndian.Uint32(b)))
		}
	})
}

// timestamp returns the sender's clock, TSval of RFC 7323 §3; ok is false when there is none.
func timestamp(options []byte) (value uint32, ok bool) {
	o := findOption(options, kindTimestamps)
	if len(o) != 10 {
		return 0, false
	}
	return binary.BigEndian.Uint32(o[2:]), true
}

// appendTimestamps appends the option, aligned as in RFC 7323 appendix A.
func appendTimestamps(b []byte, value, echo uint32) []byte {
	b = append(b, kindNOP, kindNOP, kindTimestamps, 10)
	b = binary.BigEndian.AppendUint32(b, value)
	return binary.BigEndian.AppendUint32(b, echo)
}

// windowScale returns the shift that a SYN announces; 0: none (RFC 7323 §2).
func windowScale(options []byte) uint8 {
	if o := findOption(options, kindWindowScale); len(o) == 3 {
		return min(o[2], 14)
	}
	return 0
}
