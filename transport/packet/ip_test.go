package packet

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"testing"
)

func TestIPHeadersAreWhatTheStandardsSay(t *testing.T) {
	p := Packet{Local: here4, Remote: there4, Class: 0x2e<<2 | 1}
	b := appendIP(nil, &p, 20, 7)
	if got := hex.EncodeToString(b); got != "45b90028000740004006"+"4dd9"+"c0000201c6336402" {
		t.Errorf("IPv4 header is %s", got)
	}
	if slowSum(b) != 0xffff {
		t.Errorf("IPv4 header checksum is wrong: sum %#x", slowSum(b))
	}
	p.Local, p.Remote = here6, there6
	want := "6b90000000140640" + "20010db8000000000000000000000001" + "20010db8000100000000000000000002"
	if got := hex.EncodeToString(appendIP(nil, &p, 20, 7)); got != want {
		t.Errorf("IPv6 header is %s, want %s", got, want)
	}
}

func TestParseIPReadsWhatAppendIPMakes(t *testing.T) {
	for _, p := range []Packet{
		{Local: here4, Remote: there4, Class: 0xb9, Header: tcpHeader(1, 2, 3, 0, 12), Payload: data(100)},
		{Local: here6, Remote: there6, Class: 0xb9, Header: tcpHeader(1, 2, 3, 0, 12), Payload: data(100)},
	} {
		b := ipPacketOf(p)
		padded := append(bytes.Clone(b), 0, 0, 0, 0) // Ethernet pads short frames
		ip, ok := parseIP(padded)
		if !ok || ip.src != p.Local || ip.dst != p.Remote || ip.class != p.Class || len(ip.payload) != 132 {
			t.Fatalf("%v→%v: %+v %v", p.Local, p.Remote, ip, ok)
		}
		if !verify(ip.src, ip.dst, ip.payload) {
			t.Errorf("%v: checksum is refused", p.Local)
		}
		ip.payload[50] ^= 4
		if verify(ip.src, ip.dst, ip.payload) {
			t.Errorf("%v: a flipped bit is accepted", p.Local)
		}
		for n := range b {
			if ip, ok := parseIP(b[:n]); ok {
				t.Errorf("%v: %d of %d bytes are accepted: %+v", p.Local, n, len(b), ip)
			}
		}
	}
}

func TestParseIPRefusesWhatItDoesNotUnderstand(t *testing.T) {
	v4 := ipPacketOf(Packet{Local: here4, Remote: there4, Header: tcpHeader(1, 2, 3, 0, 0)})
	v6 := ipPacketOf(Packet{Local: here6, Remote: there6, Header: tcpHeader(1, 2, 3, 0, 0)})
	mapped := netip.MustParseAddr("::ffff:192.0.2.1").As16()
	for name, b := range map[string][]byte{
		"version 5":       with(v4, func(b []byte) { b[0] = 0x55 }),
		"short header":    with(v4, func(b []byte) { b[0] = 0x44 }),
		"long header":     with(v4, func(b []byte) { b[0] = 0x4f }),
		"total too small": with(v4, func(b []byte) { b[2], b[3] = 0, 19 }),
		"fragment":        with(v4, func(b []byte) { b[6] = 0x20 }),
		"UDP":             with(v4, func(b []byte) { b[9] = 17 }),
		"hop by hop":      with(v6, func(b []byte) { b[6] = 0 }),
		"mapped address":  with(v6, func(b []byte) { copy(b[8:], mapped[:]) }),
	} {
		if b[0]>>4 == 4 && b[0]&15 == ipv4Header/4 { // nothing but that may be wrong
			binary.BigEndian.PutUint16(b[10:], 0)
			binary.BigEndian.PutUint16(b[10:], ^slowSum(b[:ipv4Header]))
		}
		if ip, ok := parseIP(b); ok || ip.badSum {
			t.Errorf("%s is accepted: %+v", name, ip)
		}
	}
}

// RFC 1122 §3.2.1.2: "A host MUST verify the IP header checksum on every received datagram".
func TestParseIPVerifiesTheHeaderChecksum(t *testing.T) {
	b := ipPacketOf(Packet{Local: here4, Remote: there4, Header: tcpHeader(1, 2, 3, 0, 0)})
	for i := range 8 * ipv4Header {
		bad := with(b, func(b []byte) { b[i/8] ^= 1 << (i % 8) })
		if ip, ok := parseIP(bad); ok {
			t.Errorf("bit %d of byte %d is wrong, and nobody sees it: %+v", i%8, i/8, ip)
		}
	}
	if ip, ok := parseIP(with(b, func(b []byte) { b[8]-- })); ok || !ip.badSum {
		t.Errorf("a hop less without another checksum: %+v, %v", ip, ok)
	}
}

func FuzzParseIP(f *testing.F) {
	f.Add(ipPacketOf(Packet{Local: here4, Remote: there4, Header: tcpHeader(1, 2, 3, 0, 4), Payload: data(9)}))
	f.Add(ipPacketOf(Packet{Local: here6, Remote: there6, Header: tcpHeader(1, 2, 3, 0, 4), Payload: data(9)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		ip, ok := parseIP(b)
		if !ok {
			return
		}
		if ip.src.Is4() != ip.dst.Is4() || len(ip.payload) > len(b) {
			t.Errorf("%v→%v with %d of %d bytes", ip.src, ip.dst, len(ip.payload), len(b))
		}
		p := Packet{Local: ip.src, Remote: ip.dst, Class: ip.class}
		again, ok := parseIP(append(appendIP(nil, &p, len(ip.payload), 0), ip.payload...))
		if !ok || again.src != ip.src || again.dst != ip.dst || again.class != ip.class || !bytes.Equal(again.payload, ip.payload) {
			t.Errorf("%+v became %+v", ip, again)
		}
	})
}
