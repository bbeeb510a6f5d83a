package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// AddAddr announces an address (RFC 8684 §3.4.1).
type AddAddr struct {
	Echo bool
	ID   uint8
	Addr netip.Addr // IPv4 or IPv6; a zone has no place on the wire
	Port uint16     // 0: none on the wire
	HMAC [8]byte    // with Echo none on the wire
}

// flagEcho is E of ADD_ADDR.
const flagEcho = 0x01

// addAddrFixed is kind, length, subtype and address id.
const addAddrFixed = 4

// Append adds the option as on the wire.
func (o AddAddr) Append(b []byte) []byte {
	if !o.Addr.IsValid() {
		panic("BUG: wire: ADD_ADDR without an address")
	}
	n := addAddrFixed + o.Addr.BitLen()/8
	if o.Port != 0 {
		n += 2
	}
	if !o.Echo {
		n += len(o.HMAC)
	}
	b = append(appendHeader(b, n, subAddAddr, bit(o.Echo, flagEcho)), o.ID)
	if o.Addr.Is4() {
		a := o.Addr.As4()
		b = append(b, a[:]...)
	} else {
		a := o.Addr.As16()
		b = append(b, a[:]...)
	}
	if o.Port != 0 {
		b = binary.BigEndian.AppendUint16(b, o.Port)
	}
	if !o.Echo {
		b = append(b, o.HMAC[:]...)
	}
	return b
}

// consumeAddAddr reads a whole option. The length tells the family and whether a port is there; it has no more than
// one explanation, since the HMAC is there exactly when E is 0.
func consumeAddAddr(b []byte) Option {
	if len(b) < addAddrFixed {
		return nil
	}
	o := AddAddr{Echo: b[2]&flagEcho != 0, ID: b[3]}
	rest := b[addAddrFixed:]
	if !o.Echo {
		end := len(rest) - len(o.HMAC)
		if end < 0 {
			return nil
		}
		copy(o.HMAC[:], rest[end:])
		rest = rest[:end]
	}
	switch len(rest) {
	case 4, 6:
		o.Addr, rest = netip.AddrFrom4([4]byte(rest)), rest[4:]
	case 16, 18:
		o.Addr, rest = netip.AddrFrom16([16]byte(rest)), rest[16:]
	default:
		return nil
	}
	if len(rest) > 0 {
		o.Port = binary.BigEndian.Uint16(rest)
	}
	return o
}

// String prints the option.
func (o AddAddr) String() string {
	s := fmt.Sprintf("ADD_ADDR%s id=%d addr=%v", mark(o.Echo, "echo"), o.ID, o.Addr)
	if o.Port != 0 {
		s += fmt.Sprintf(" port=%d", o.Port)
	}
	if !o.Echo {
		s += fmt.Sprintf(" hmac=%x", o.HMAC)
	}
	return s
}

// RemoveAddr withdraws addresses (RFC 8684 §3.4.2).
type RemoveAddr struct {
	N   int // how many of IDs count, 1–MaxRemove
	IDs [MaxRemove]uint8
}

// MaxRemove is the number of address ids that fit one REMOVE_ADDR: 40 bytes of options less 3.
const MaxRemove = 37

// Append adds the option as on the wire.
func (o RemoveAddr) Append(b []byte) []byte {
	if o.N < 1 || o.N > MaxRemove {
		panic(fmt.Sprintf("BUG: wire: REMOVE_ADDR of %d ids", o.N))
	}
	return append(appendHeader(b, headerLen+o.N, subRemoveAddr, 0), o.IDs[:o.N]...)
}

// consumeRemoveAddr reads a whole option.
func consumeRemoveAddr(b []byte) Option {
	ids := b[headerLen:]
	if len(ids) < 1 || len(ids) > MaxRemove {
		return nil
	}
	o := RemoveAddr{N: len(ids)}
	copy(o.IDs[:], ids)
	return o
}

// String prints the option.
func (o RemoveAddr) String() string {
	return fmt.Sprintf("REMOVE_ADDR ids=%d", o.IDs[:min(max(o.N, 0), MaxRemove)])
}
