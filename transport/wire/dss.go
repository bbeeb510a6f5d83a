package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

// DSS carries a mapping, a DATA_ACK, or both (RFC 8684 §3.3). Numbers that were 4 bytes on the wire are the lower half
// only, for Promote.
type DSS struct {
	HasAck   bool
	AckWide  bool // 8 bytes
	Ack      uint64
	HasMap   bool
	DSNWide  bool    // 8 bytes
	Map      Mapping // Len without the DATA_FIN
	Infinite bool    // data-level length 0: fallback (RFC 8684 §3.7)
	HasSum   bool    // the mapping has a checksum
	Sum      uint16
}

// The flags of DSS, in its fourth byte.
const (
	dssFin     = 0x10 // F
	dssDSNWide = 0x08 // m
	dssMap     = 0x04 // M
	dssAckWide = 0x02 // a
	dssAck     = 0x01 // A
)

// MaxDSS is the length of the longest DSS: 8-byte DATA_ACK, 8-byte DSN and checksum.
const MaxDSS = 28

// AppendDSS adds d as on the wire. It allocates nothing when b has MaxDSS bytes of capacity left.
func AppendDSS(b []byte, d *DSS) []byte {
	flags := d.flags()
	n := dssLen(flags)
	if d.HasMap && d.HasSum {
		n += sumLen
	}
	b = append(appendHeader(b, n, subDSS, 0), flags)
	if d.HasAck {
		b = appendNumber(b, d.Ack, d.AckWide)
	}
	if !d.HasMap {
		return b
	}
	b = appendNumber(b, d.Map.DSN, d.DSNWide)
	b = binary.BigEndian.AppendUint32(b, d.Map.SSN)
	b = binary.BigEndian.AppendUint16(b, d.dataLen())
	if d.HasSum {
		b = binary.BigEndian.AppendUint16(b, d.Sum)
	}
	return b
}

// Append adds the option as on the wire.
func (d DSS) Append(b []byte) []byte { return AppendDSS(b, &d) }

// Consume reads the DSS that b starts with into d and returns its length; negative, with d unspecified, when b does
// not start with a whole DSS of a length that its flags explain. It allocates nothing.
func (d *DSS) Consume(b []byte) (n int) {
	n = optionLen(b)
	if n < headerLen+1 || subtype(b[2]>>4) != subDSS {
		return -1
	}
	flags, rest := b[3], b[4:n]
	*d = DSS{HasAck: flags&dssAck != 0, HasMap: flags&dssMap != 0}
	// "The flags 'a' and 'm' only have meaning if the corresponding 'A' or 'M' flags are set" (RFC 8684 §3.3).
	d.AckWide = d.HasAck && flags&dssAckWide != 0
	d.DSNWide = d.HasMap && flags&dssDSNWide != 0
	switch extra := n - dssLen(flags); {
	case extra == 0:
	case extra == sumLen && d.HasMap:
		d.HasSum = true
	default:
		return -1
	}
	if d.HasAck {
		d.Ack, rest = number(rest, d.AckWide)
	}
	if d.HasMap && !d.consumeMap(rest, flags&dssFin != 0) {
		return -1
	}
	return n
}

// consumeMap reads the mapping and its checksum; false when the DATA_FIN is not in its length.
func (d *DSS) consumeMap(b []byte, fin bool) bool {
	d.Map.DSN, b = number(b, d.DSNWide)
	d.Map.SSN = binary.BigEndian.Uint32(b)
	length := binary.BigEndian.Uint16(b[4:])
	if fin {
		if length == 0 {
			return false // a DATA_FIN takes one data sequence number itself (RFC 8684 §3.3.3)
		}
		length--
	} else {
		d.Infinite = length == 0
	}
	d.Map.Len, d.Map.Fin = length, fin
	if d.HasSum {
		d.Sum = binary.BigEndian.Uint16(b[6:])
	}
	return true
}

// consumeDSS reads a whole option.
func consumeDSS(b []byte) Option {
	var d DSS
	if d.Consume(b) < 0 {
		return nil
	}
	return d
}

// flags is the fourth byte.
func (d *DSS) flags() byte {
	f := bit(d.HasAck, dssAck) | bit(d.HasAck && d.AckWide, dssAckWide)
	return f | bit(d.HasMap, dssMap) | bit(d.HasMap && d.DSNWide, dssDSNWide) |
		bit(d.HasMap && d.Map.Fin && !d.Infinite, dssFin)
}

// dataLen is the data-level length on the wire, the DATA_FIN counted.
func (d *DSS) dataLen() uint16 {
	if d.Infinite {
		return 0
	}
	n := d.Map.dataLen()
	if n == 0 || n > math.MaxUint16 {
		panic("BUG: wire: no data-level length for " + d.Map.String())
	}
	return uint16(n)
}

// dssLen is the length of a DSS with these flags, without a checksum.
func dssLen(flags byte) int {
	n := headerLen + 1
	if flags&dssAck != 0 {
		n += numberLen(flags&dssAckWide != 0)
	}
	if flags&dssMap != 0 {
		n += numberLen(flags&dssDSNWide != 0) + 4 + 2 // and subflow sequence number, data-level length
	}
	return n
}

// sumLen is the length of the checksum.
const sumLen = 2

// numberLen is the length of a data sequence number.
func numberLen(wide bool) int {
	if wide {
		return 8
	}
	return 4
}

// appendNumber adds a data sequence number of 8 or 4 bytes.
func appendNumber(b []byte, v uint64, wide bool) []byte {
	if wide {
		return binary.BigEndian.AppendUint64(b, v)
	}
	return binary.BigEndian.AppendUint32(b, uint32(v))
}

// number reads a data sequence number of 8 or 4 bytes; b is long enough.
func number(b []byte, wide bool) (v uint64, rest []byte) {
	if wide {
		return binary.BigEndian.Uint64(b), b[8:]
	}
	return uint64(binary.BigEndian.Uint32(b)), b[4:]
}

// String prints the option; numbers of 8 bytes have 16 digits, those of 4 bytes 8.
func (d DSS) String() string {
	s := "DSS"
	if d.HasAck {
		s += " ack=" + digits(d.Ack, d.AckWide)
	}
	if !d.HasMap {
		return s
	}
	s += " dsn=" + digits(d.Map.DSN, d.DSNWide) + fmt.Sprintf(" ssn=%d", d.Map.SSN)
	if d.Infinite {
		s += " infinite"
	} else {
		s += fmt.Sprintf(" len=%d", d.Map.Len) + mark(d.Map.Fin, "fin")
	}
	if d.HasSum {
		s += fmt.Sprintf(" sum=%04x", d.Sum)
	}
	return s
}

// digits prints a data sequence number of 8 or 4 bytes.
func digits(v uint64, wide bool) string {
	if wide {
		return fmt.Sprintf("%016x", v)
	}
	return fmt.Sprintf("%08x", uint32(v))
}
