package wire

import (
	"encoding/binary"
	"net/netip"
)

// ICMPKind is what an ICMP error means to TCP (RFC 9293 §3.9.2.2, RFC 5461).
type ICMPKind uint8

// The kinds of ICMP errors that concern TCP.
const (
	ICMPSoft       ICMPKind = iota + 1 // net or host unreachable, time exceeded: may pass
	ICMPHard                           // protocol or port unreachable
	ICMPProhibited                     // a firewall says no
	ICMPTooBig                         // fragmentation needed; MTU is set
)

// An ICMPError is an error message about a TCP segment that was sent. Src, Dst and Seq are those of the segment that
// it quotes, so Src is an address of this host. Whoever can guess them can forge one (RFC 5927).
type ICMPError struct {
	Kind     ICMPKind
	Src, Dst netip.AddrPort
	Seq      Seq
	MTU      int // of the next hop, as the router says; 0: it does not
	// Local: it is no message, but what this host's own interface or route has answered. Nobody can forge that, and
	// nothing larger leaves.
	Local bool
}

// Consume reads an ICMP message, from its own header on, which arrived in a packet of the family that v6 says. It
// returns len(b), or -1 when the message is no error about TCP. It does not check the checksum: the system has.
func (e *ICMPError) Consume(b []byte, v6 bool) (n int) {
	*e = ICMPError{}
	const headLen, quotedTCP = 8, 8 // what RFC 792 guarantees of the quoted segment: ports and sequence number
	if len(b) < headLen {
		return -1
	}
	if v6 {
		e.kindOf6(b)
	} else {
		e.kindOf4(b)
	}
	if e.Kind == 0 {
		return -1
	}
	quoted := b[headLen:]
	head, ok := 0, false
	if v6 {
		head, ok = e.consumeQuoted6(quoted)
	} else {
		head, ok = e.consumeQuoted4(quoted)
	}
	if !ok || len(quoted)-head < quotedTCP {
		*e = ICMPError{}
		return -1
	}
	e.Src, e.Dst = addrPort(e.Src, quoted[head:]), addrPort(e.Dst, quoted[head+2:])
	e.Seq = Seq(binary.BigEndian.Uint32(quoted[head+4:]))
	return len(b)
}

// kindOf4 is RFC 792 and RFC 1812 §5.2.7.1.
func (e *ICMPError) kindOf4(b []byte) {
	switch typ, code := b[0], b[1]; {
	case typ == 3 && code == 4:
		e.Kind, e.MTU = ICMPTooBig, int(binary.BigEndian.Uint16(b[6:]))
	case typ == 3 && (code == 2 || code == 3):
		e.Kind = ICMPHard
	case typ == 3 && (code == 9 || code == 10 || code == 13):
		e.Kind = ICMPProhibited
	case typ == 3, typ == 11, typ == 12:
		e.Kind = ICMPSoft
	}
}

// kindOf6 is RFC 4443 §3.
func (e *ICMPError) kindOf6(b []byte) {
	switch typ, code := b[0], b[1]; {
	case typ == 2:
		e.Kind, e.MTU = ICMPTooBig, int(min(binary.BigEndian.Uint32(b[4:]), 1<<16))
	case typ == 1 && code == 4, typ == 4 && code == 1:
		e.Kind = ICMPHard
	case typ == 1 && (code == 1 || code == 5 || code == 6):
		e.Kind = ICMPProhibited
	case typ == 1, typ == 3, typ == 4:
		e.Kind = ICMPSoft
	}
}

func (e *ICMPError) consumeQuoted4(b []byte) (head int, ok bool) {
	if len(b) < IPv4HeaderLen || b[0]>>4 != 4 || b[9] != protoTCP {
		return 0, false
	}
	head = int(b[0]&15) * 4
	e.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:16])), 0)
	e.Dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[16:20])), 0)
	return head, head >= IPv4HeaderLen && head <= len(b)
}

func (e *ICMPError) consumeQuoted6(b []byte) (head int, ok bool) {
	if len(b) < IPv6HeaderLen || b[0]>>4 != 6 || b[6] != protoTCP {
		return 0, false
	}
	e.Src = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])), 0)
	e.Dst = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[24:40])), 0)
	return IPv6HeaderLen, true
}
