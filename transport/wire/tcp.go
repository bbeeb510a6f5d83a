package wire

import (
	"encoding/binary"
	"net/netip"
)

// TCPHeaderLen is the length of a TCP header without options.
const TCPHeaderLen = 20

// protoTCP is the protocol number of TCP.
const protoTCP = 6

// MaxHeader is the most that IP and TCP headers of a segment take, for the buffers that AppendHeaders fills.
const MaxHeader = IPv6HeaderLen + TCPHeaderLen + MaxTCPOptions

// Sum says how much of the TCP checksum AppendHeaders computes.
type Sum uint8

const (
	// SumWhole is the checksum of header and payload: nobody computes it later.
	SumWhole Sum = iota
	// SumPseudo is the sum of the pseudo header alone, not complemented, with the length of the whole segment: what
	// checksum and segmentation offload expect in the field.
	SumPseudo
)

// AppendHeaders adds the IP and the TCP header of s; the payload, s.Data, follows them on the wire. It allocates
// nothing when b has MaxHeader bytes of capacity left. Don't Fragment is always set (RFC 1191 §3).
func (s *Segment) AppendHeaders(b []byte, sum Sum) []byte {
	tcpLen := TCPHeaderLen + s.Options.Len() + s.Len
	b = s.appendIP(b, tcpLen)
	head := len(b)
	b = binary.BigEndian.AppendUint16(b, s.Src.Port())
	b = binary.BigEndian.AppendUint16(b, s.Dst.Port())
	b = binary.BigEndian.AppendUint32(b, uint32(s.Seq))
	b = binary.BigEndian.AppendUint32(b, uint32(s.Ack))
	b = append(b, byte(TCPHeaderLen+s.Options.Len())/4<<4, byte(s.Flags))
	b = binary.BigEndian.AppendUint16(b, s.Window)
	b = append(b, 0, 0) // the checksum
	b = binary.BigEndian.AppendUint16(b, s.Urgent)
	b = s.Options.append(b)
	field := s.pseudoSum(tcpLen)
	if sum == SumWhole {
		field = ^sumChunks(add(uint64(field), sumBytes(b[head:])), s.Data)
	}
	binary.BigEndian.PutUint16(b[head+16:], field)
	return b
}

// Consume reads the packet b, from its IP header on, into s: the payload stays in b. It returns the length of the
// packet, or a negative number when b is no whole and sound TCP segment: a fragment, cut off, of lengths that
// contradict each other, or with a wrong checksum. With trusted, the TCP checksum has been checked already (or was not
// computed yet, on a packet of this host). It allocates nothing once s.Data has capacity for one slice.
func (s *Segment) Consume(b []byte, trusted bool) (n int) {
	s.Reset()
	n, head, ok := s.consumeIP(b)
	if !ok || n-head < TCPHeaderLen {
		return -1
	}
	tcp := b[head:n]
	off := int(tcp[12]>>4) * 4
	if off < TCPHeaderLen || off > len(tcp) {
		return -1
	}
	if !trusted && fold(add(uint64(s.pseudoSum(len(tcp))), sumBytes(tcp))) != 0xffff {
		return -1
	}
	if !s.consumeHeader(tcp[:off]) {
		return -1
	}
	if len(tcp) > off {
		s.Data, s.Len = append(s.Data, tcp[off:]), len(tcp)-off
	}
	return n
}

// ConsumeHeader reads b, a TCP header with its options, of a packet from src to dst into s: what is left when somebody
// else has taken the IP header off and checked the checksum. The payload is for the caller to set. It returns len(b), or
// -1 when b is not one whole header.
func (s *Segment) ConsumeHeader(src, dst netip.Addr, b []byte) (n int) {
	s.Reset()
	s.Src, s.Dst = netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0)
	if len(b) < TCPHeaderLen || int(b[12]>>4)*4 != len(b) || !s.consumeHeader(b) {
		return -1
	}
	return len(b)
}

// consumeHeader reads a TCP header; the addresses are in s already.
func (s *Segment) consumeHeader(tcp []byte) bool {
	if s.Options.Consume(tcp[TCPHeaderLen:]) < 0 {
		return false
	}
	s.Src = addrPort(s.Src, tcp)
	s.Dst = addrPort(s.Dst, tcp[2:])
	s.Seq = Seq(binary.BigEndian.Uint32(tcp[4:]))
	s.Ack = Seq(binary.BigEndian.Uint32(tcp[8:]))
	s.Flags = Flags(tcp[13])
	s.Window = binary.BigEndian.Uint16(tcp[14:])
	s.Urgent = binary.BigEndian.Uint16(tcp[18:])
	return true
}

// pseudoSum is the sum of the pseudo header (RFC 9293 §3.1, RFC 8200 §8.1). Both families come to the same: addresses,
// protocol and length.
func (s *Segment) pseudoSum(tcpLen int) uint16 {
	sum := add(protoTCP, uint64(tcpLen))
	if s.Src.Addr().Is4() {
		src, dst := s.Src.Addr().As4(), s.Dst.Addr().As4()
		return fold(add(sum, add(uint64(binary.BigEndian.Uint32(src[:])), uint64(binary.BigEndian.Uint32(dst[:])))))
	}
	src, dst := s.Src.Addr().As16(), s.Dst.Addr().As16()
	return fold(add(sum, add(sumBytes(src[:]), sumBytes(dst[:]))))
}
