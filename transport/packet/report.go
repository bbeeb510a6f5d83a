package packet

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// ReportKind says what a Report is about.
type ReportKind uint8

// The kinds.
const (
	// ReportTooBig: a router could not forward a segment (RFC 1191 §4, RFC 8201 §3).
	ReportTooBig ReportKind = iota + 1
	// ReportUnreachable: a segment could not be delivered: no route, no host, no port.
	ReportUnreachable
	// ReportProhibited: a firewall has refused it (ICMP codes 9, 10, 13; ICMPv6 1, 5, 6).
	ReportProhibited
	// ReportReset: this host has sent a RST from our port. If the carrier has not, a firewall of this host has: it takes the
	// flow for none that it knows, and cuts it off at the peer. It comes behind all packets that arrived before the RST left.
	ReportReset
	// ReportMTU: the interface's MTU has changed. No message, so no addresses and ports.
	ReportMTU
)

// Report is what the network says about a segment that was sent. Anybody can send one: the addresses of its Packet, its
// ports and Seq are the quoted segment's, for comparison with what is in flight (RFC 5927 §4.1).
type Report struct {
	Kind       ReportKind
	From       netip.Addr // who says so
	Code       uint8      // of the ICMP or ICMPv6 message
	MTU        int        // ReportTooBig, ReportMTU: bytes of IP packet; 0: an old router that does not say
	LocalPort  uint16
	RemotePort uint16
	Seq        uint32 // of the quoted segment
}

// String prints the report.
func (r Report) String() string {
	switch r.Kind {
	case ReportTooBig:
		return fmt.Sprintf("too big from %v: mtu %d, %d→%d seq %d", r.From, r.MTU, r.LocalPort, r.RemotePort, r.Seq)
	case ReportUnreachable:
		return fmt.Sprintf("unreachable (code %d) from %v: %d→%d seq %d", r.Code, r.From, r.LocalPort, r.RemotePort, r.Seq)
	case ReportProhibited:
		return fmt.Sprintf("prohibited (code %d) from %v: %d→%d seq %d", r.Code, r.From, r.LocalPort, r.RemotePort, r.Seq)
	case ReportReset:
		return fmt.Sprintf("reset sent by this host: %d→%d seq %d", r.LocalPort, r.RemotePort, r.Seq)
	case ReportMTU:
		return fmt.Sprintf("interface mtu %d", r.MTU)
	}
	return fmt.Sprintf("report %d", r.Kind)
}

// ICMP and ICMPv6 (RFC 792, RFC 1191, RFC 4443).
const (
	icmpUnreachable   = 3 // type
	icmpFragNeeded    = 4 // code
	icmpv6Unreachable = 1 // type
	icmpv6TooBig      = 2
	icmpHeader        = 8 // bytes before the quoted packet, in both
	quotedTCP         = 8 // bytes of TCP that every quotation has: ports and sequence number
)

// icmpMessage is the ICMP message that a raw ICMP socket gives behind an IP header; nil: there is none, it was cut short, or
// its checksum (RFC 792, RFC 1122 §3.2.2) is wrong. The kernel would check that later; of ICMPv6 it gives no message before
// it has (RFC 3542 §3.1).
func icmpMessage(b []byte) []byte {
	if len(b) < ipv4Header || int(binary.BigEndian.Uint16(b[2:])) != len(b) {
		return nil
	}
	head := int(b[0]&15) * 4
	if head < ipv4Header || len(b) < head+icmpHeader || sumBytes(b[head:]).fold() != 0xffff {
		return nil
	}
	return b[head:]
}

// parseICMPv4 reads what a raw ICMP socket gives: outer IP header and message. local and remote are the quoted
// segment's source and destination.
func parseICMPv4(b []byte) (r Report, local, remote netip.Addr, ok bool) {
	m := icmpMessage(b)
	if len(m) < icmpHeader+ipv4Header {
		return r, local, remote, false
	}
	r.From = netip.AddrFrom4([4]byte(b[12:]))
	q := m[icmpHeader:]
	head := int(q[0]&15) * 4
	if m[0] != icmpUnreachable || q[0]>>4 != 4 || head < ipv4Header || len(q) < head+quotedTCP || q[9] != protocolTCP {
		return r, local, remote, false
	}
	r.Code = m[1]
	switch r.Code {
	case icmpFragNeeded:
		r.Kind, r.MTU = ReportTooBig, int(binary.BigEndian.Uint16(m[6:]))
	case 9, 10, 13: // RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1
		r.Kind = ReportProhibited
	default:
		r.Kind = ReportUnreachable
	}
	r.quote(q[head:])
	return r, netip.AddrFrom4([4]byte(q[12:])), netip.AddrFrom4([4]byte(q[16:])), true
}

// parseICMPv6 reads what a raw ICMPv6 socket gives: the message alone; from is its sender.
func parseICMPv6(b []byte, from netip.Addr) (r Report, local, remote netip.Addr, ok bool) {
	if len(b) < icmpHeader+ipv6Header+quotedTCP {
		return r, local, remote, false
	}
	q := b[icmpHeader:]
	if q[0]>>4 != 6 || q[6] != protocolTCP {
		return r, local, remote, false
	}
	r.From, r.Code = from, b[1]
	switch {
	case b[0] == icmpv6TooBig:
		r.Kind, r.MTU = ReportTooBig, int(min(binary.BigEndian.Uint32(b[4:]), 1<<16))
	case b[0] == icmpv6Unreachable && (r.Code == 1 || r.Code == 5 || r.Code == 6): // RFC 4443 §3.1
		r.Kind = ReportProhibited
	case b[0] == icmpv6Unreachable:
		r.Kind = ReportUnreachable
	default:
		return r, local, remote, false
	}
	r.quote(q[ipv6Header:])
	return r, netip.AddrFrom16([16]byte(q[8:])), netip.AddrFrom16([16]byte(q[24:])), true
}

// quote reads the part of a TCP header that every message quotes.
func (r *Report) quote(b []byte) {
	r.LocalPort, r.RemotePort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	r.Seq = binary.BigEndian.Uint32(b[4:])
}
