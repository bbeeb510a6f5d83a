package netlab

import (
	"bytes"
	"encoding/binary"
)

// Ethernet, ARP (RFC 826) and neighbour discovery (RFC 4861) as far as the link answers them.
const (
	etherHeader = 14
	etherARP    = 0x0806
	etherIPv6   = 0x86dd
	arpLength   = 28
	arpRequest  = 1
	arpReply    = 2

	ipv6Header     = 40
	protocolICMPv6 = 58
	solicitation   = 135
	advertisement  = 136
	solicitLength  = 24 // without options
	advertLength   = solicitLength + 8
)

// answerNeighbour answers a question for a neighbour's hardware address with mac, the address of the host at the other
// end of the link. It appends the answer to dst; ok is false when the frame is no such question. A probe for a
// duplicate of the asker's own address gets no answer, but does not pass either.
func answerNeighbour(dst, question []byte, mac []byte) (answer []byte, ok bool) {
	if len(question) < etherHeader {
		return dst, false
	}
	switch binary.BigEndian.Uint16(question[12:]) {
	case etherARP:
		return answerARP(dst, question, mac)
	case etherIPv6:
		return answerSolicitation(dst, question, mac)
	}
	return dst, false
}

func answerARP(dst, question, mac []byte) ([]byte, bool) {
	if len(question) < etherHeader+arpLength {
		return dst, false
	}
	arp := question[etherHeader:][:arpLength]
	if binary.BigEndian.Uint16(arp[6:]) != arpRequest || !bytes.Equal(arp[:6], []byte{0, 1, 8, 0, 6, 4}) {
		return dst, false
	}
	asker, askerIP, wanted := arp[8:14], arp[14:18], arp[24:28]
	if bytes.Equal(askerIP, wanted) || bytes.Equal(askerIP, make([]byte, 4)) { // RFC 5227: announcement, probe
		return dst, true
	}
	dst = append(append(dst, asker...), mac...)
	dst = append(dst, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, arpReply)
	dst = append(append(dst, mac...), wanted...)
	return append(append(dst, asker...), askerIP...), true
}

func answerSolicitation(dst, question, mac []byte) ([]byte, bool) {
	if len(question) < etherHeader+ipv6Header+solicitLength {
		return dst, false
	}
	ip := question[etherHeader:]
	icmp := ip[ipv6Header:]
	if ip[6] != protocolICMPv6 || icmp[0] != solicitation {
		return dst, false
	}
	source, wanted := ip[8:24], icmp[8:24]
	if bytes.Equal(source, make([]byte, 16)) { // RFC 4862 §5.4.2: duplicate address detection
		return dst, true
	}
	start := len(dst)
	dst = append(append(dst, question[6:12]...), mac...)
	dst = append(dst, 0x86, 0xdd, 0x60, 0, 0, 0, 0, advertLength, protocolICMPv6, 255)
	dst = append(append(dst, wanted...), source...)
	dst = append(dst, advertisement, 0, 0, 0, 0x60, 0, 0, 0) // flags: solicited, override (§4.4)
	dst = append(dst, wanted...)
	dst = append(append(dst, 2, 1), mac...) // target link-layer address (§4.6.1)
	packet := dst[start+etherHeader:]
	binary.BigEndian.PutUint16(packet[ipv6Header+2:], checksumICMPv6(packet))
	return dst, true
}

// checksumICMPv6 works out the checksum of an IPv6 packet without extension headers (RFC 8200 §8.1) whose checksum
// field is zero.
func checksumICMPv6(packet []byte) uint16 {
	body := packet[ipv6Header:]
	sum := uint32(len(body)) + protocolICMPv6
	for _, part := range [][]byte{packet[8:ipv6Header], body} {
		for ; len(part) > 1; part = part[2:] {
			sum += uint32(binary.BigEndian.Uint16(part))
		}
		if len(part) == 1 {
			sum += uint32(part[0]) << 8
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
