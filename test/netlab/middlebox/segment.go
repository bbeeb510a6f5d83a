package middlebox

import (
	"encoding/binary"
	"net/netip"
)

// A segment is a TCP segment in an Ethernet frame, taken apart. Its slices lie in the frame until they are replaced.
type segment struct {
	network  []byte // Ethernet and IP header
	ip       int    // where the IP header starts in network
	src, dst netip.AddrPort
	seq, ack uint32
	flags    uint16 // with the reserved bits, as in the header
	window   uint16
	urgent   uint16
	options  []byte // with padding
	payload  []byte
}

// TCP's flags (RFC 9293 §3.1).
const (
	flagFIN uint16 = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
	flagURG
	flagECE
	flagCWR
)

const (
	etherHeader = 14
	ipv6Header  = 40
	tcpHeader   = 20
	protocolTCP = 6
)

// dissect takes a frame apart. ok is false for what no stage touches: frames that are not TCP over IPv4 or IPv6, that are
// fragments, cut off or with IPv6 extension headers, and those whose checksum is wrong, which must not become right.
func dissect(frame []byte) (s segment, ok bool) {
	if len(frame) < etherHeader {
		return s, false
	}
	var tcp []byte
	var from, to netip.Addr
	ip := frame[etherHeader:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case 0x0800:
		if len(ip) < 20 || ip[0]>>4 != 4 {
			return s, false
		}
		head, total := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
		fragment := binary.BigEndian.Uint16(ip[6:])&0x3fff != 0
		if head < 20 || total < head || total > len(ip) || fragment || ip[9] != protocolTCP {
			return s, false
		}
		s.network, tcp = frame[:etherHeader+head], ip[head:total]
		from, to = netip.AddrFrom4([4]byte(ip[12:])), netip.AddrFrom4([4]byte(ip[16:]))
	case 0x86dd:
		if len(ip) < ipv6Header || ip[0]>>4 != 6 || ip[6] != protocolTCP {
			return s, false
		}
		total := ipv6Header + int(binary.BigEndian.Uint16(ip[4:]))
		if total > len(ip) {
			return s, false
		}
		s.network, tcp = frame[:etherHeader+ipv6Header], ip[ipv6Header:total]
		from, to = netip.AddrFrom16([16]byte(ip[8:])), netip.AddrFrom16([16]byte(ip[24:]))
	default:
		return s, false
	}
	s.ip = etherHeader
	return s, s.dissectTCP(tcp, from, to)
}

// dissectTCP fills in what the TCP header says; false: it is cut off or its checksum is wrong.
func (s *segment) dissectTCP(tcp []byte, from, to netip.Addr) bool {
	if len(tcp) < tcpHeader {
		return false
	}
	head := int(tcp[12]>>4) * 4
	if head < tcpHeader || head > len(tcp) || checksum(pseudo(from, to, len(tcp)), tcp) != 0 {
		return false
	}
	s.src = netip.AddrPortFrom(from, binary.BigEndian.Uint16(tcp))
	s.dst = netip.AddrPortFrom(to, binary.BigEndian.Uint16(tcp[2:]))
	s.seq, s.ack = binary.BigEndian.Uint32(tcp[4:]), binary.BigEndian.Uint32(tcp[8:])
	s.flags = binary.BigEndian.Uint16(tcp[12:]) & 0x0fff
	s.window, s.urgent = binary.BigEndian.Uint16(tcp[14:]), binary.BigEndian.Uint16(tcp[18:])
	s.options, s.payload = tcp[tcpHeader:head], tcp[head:]
	return true
}

// frame puts the segment together again, with lengths and checksums that are right.
func (s *segment) frame() []byte {
	options := padded(s.options)
	length := tcpHeader + len(options) + len(s.payload)
	b := make([]byte, 0, len(s.network)+length)
	b = append(b, s.network...)
	b = binary.BigEndian.AppendUint16(b, s.src.Port())
	b = binary.BigEndian.AppendUint16(b, s.dst.Port())
	b = binary.BigEndian.AppendUint32(b, s.seq)
	b = binary.BigEndian.AppendUint32(b, s.ack)
	b = binary.BigEndian.AppendUint16(b, uint16(tcpHeader+len(options))/4<<12|s.flags&0x0fff)
	b = binary.BigEndian.AppendUint16(b, s.window)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, s.urgent)
	b = append(append(b, options...), s.payload...)
	tcp := b[len(s.network):]
	binary.BigEndian.PutUint16(tcp[16:], checksum(pseudo(s.src.Addr(), s.dst.Addr(), length), tcp))
	ip := b[s.ip:len(s.network)]
	if s.src.Addr().Is4() {
		binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+length))
		ip[10], ip[11] = 0, 0
		binary.BigEndian.PutUint16(ip[10:], checksum(0, ip))
	} else {
		binary.BigEndian.PutUint16(ip[4:], uint16(length))
	}
	return b
}

// answer is an empty segment back to the sender of s, from the address that s was sent to.
func (s *segment) answer() segment {
	a := segment{network: append([]byte(nil), s.network...), ip: s.ip, src: s.dst, dst: s.src}
	copy(a.network, s.network[6:12])
	copy(a.network[6:], s.network[:6])
	ip := a.network[a.ip:]
	if s.src.Addr().Is4() {
		ip = ip[:20]
		a.network = a.network[:a.ip+20]
		ip[0] = 0x45
		copy(ip[12:], s.network[s.ip+16:s.ip+20])
		copy(ip[16:], s.network[s.ip+12:s.ip+16])
		ip[8] = 64
		return a
	}
	copy(ip[8:], s.network[s.ip+24:s.ip+40])
	copy(ip[24:], s.network[s.ip+8:s.ip+24])
	ip[7] = 64
	return a
}

// has reports whether any of the flags is set.
func (s *segment) has(flags uint16) bool { return s.flags&flags != 0 }

// length is what the segment takes of the sequence numbers (RFC 9293 §3.4).
func (s *segment) length() uint32 {
	n := uint32(len(s.payload))
	if s.has(flagSYN) {
		n++
	}
	if s.has(flagFIN) {
		n++
	}
	return n
}

// end is the sequence number after the segment.
func (s *segment) end() uint32 { return s.seq + s.length() }

// flow is the pair of addresses, in the direction of the segment.
func (s *segment) flow() flow { return flow{s.src, s.dst} }

// A flow names one direction of a connection.
type flow struct{ src, dst netip.AddrPort }

func (f flow) reverse() flow { return flow{f.dst, f.src} }

// before compares sequence numbers (RFC 9293 §3.4).
func before(a, b uint32) bool { return int32(a-b) < 0 }

// later returns the greater sequence number.
func later(a, b uint32) uint32 {
	if before(a, b) {
		return b
	}
	return a
}

// pseudo is the sum over TCP's pseudo header (RFC 9293 §3.1, RFC 8200 §8.1).
func pseudo(src, dst netip.Addr, length int) uint32 {
	sum := uint32(length) + protocolTCP
	for _, a := range []netip.Addr{src, dst} {
		sum = addWords(sum, a.AsSlice())
	}
	return sum
}

func addWords(sum uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

// checksum is the Internet checksum (RFC 1071) over b, added to a sum. It is 0 over what contains a right one.
func checksum(sum uint32, b []byte) uint16 {
	sum = addWords(sum, b)
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
