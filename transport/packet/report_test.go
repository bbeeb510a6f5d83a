package packet

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
)

// icmpv4 is a message of a router to us with its IP header.
func icmpv4(typ, code byte, mtu uint16, quote []byte) []byte {
	b := with(ipPacketOf(Packet{Local: netip.MustParseAddr("203.0.113.9"), Remote: here4, Header: tcpHeader(0, 0, 0, 0, 0)})[:20], func(b []byte) { b[9] = 1 })
	b = append(b, typ, code, 0, 0, 0, 0)
	return seal(append(binary.BigEndian.AppendUint16(b, mtu), quote...))
}

// seal sets length and checksum of an ICMP message with its IP header.
func seal(b []byte) []byte {
	head := min(int(b[0]&15)*4, len(b))
	if len(b) < ipv4Header || len(b) > 0xffff || len(b) < head+icmpHeader {
		return b
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	b[head+2], b[head+3] = 0, 0
	binary.BigEndian.PutUint16(b[head+2:], ^slowSum(b[head:]))
	return b
}

// icmpv6 is the same without an IP header.
func icmpv6(typ, code byte, mtu uint32, quote []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{typ, code, 0, 0}, mtu), quote...)
}

// withOptions puts 8 bytes of options into an IPv4 header.
func withOptions(b []byte) []byte {
	out := append([]byte{0x47}, b[1:20]...)
	return append(append(out, make([]byte, 8)...), b[20:]...)
}

func TestReportsSayWhatIsWrongAndQuoteTheSegment(t *testing.T) {
	router6 := netip.MustParseAddr("2001:db8:9::9")
	sent4 := ipPacketOf(Packet{Local: here4, Remote: there4, Header: tcpHeader(7443, 9, 77, 0, 0)})
	sent6 := ipPacketOf(Packet{Local: here6, Remote: there6, Header: tcpHeader(7443, 9, 77, 0, 0)})
	for _, c := range []struct {
		name string
		v6   bool
		b    []byte
		want string // empty: refused
	}{
		{"too big", false, icmpv4(3, 4, 1400, sent4), "too big from 203.0.113.9: mtu 1400, 7443→9 seq 77"},
		{"too big, eight bytes quoted, options", false, icmpv4(3, 4, 1400, withOptions(sent4)[:36]), "too big from 203.0.113.9: mtu 1400, 7443→9 seq 77"},
		{"host unreachable", false, icmpv4(3, 1, 0, sent4), "unreachable (code 1) from 203.0.113.9: 7443→9 seq 77"},
		{"prohibited", false, icmpv4(3, 13, 0, sent4), "prohibited (code 13) from 203.0.113.9: 7443→9 seq 77"},
		{"time exceeded", false, icmpv4(11, 0, 0, sent4), ""},
		{"quote too short", false, icmpv4(3, 4, 1400, sent4[:27]), ""},
		{"quote of IPv6", false, icmpv4(3, 4, 1400, sent6), ""},
		{"no quote", false, icmpv4(3, 4, 1400, nil), ""},
		{"options before it", false, seal(withOptions(icmpv4(3, 1, 0, sent4))), "unreachable (code 1) from 203.0.113.9: 7443→9 seq 77"},
		{"an odd number of bytes", false, icmpv4(3, 1, 0, append(bytes.Clone(sent4), 7)), "unreachable (code 1) from 203.0.113.9: 7443→9 seq 77"},
		{"wrong checksum", false, with(icmpv4(3, 1, 0, sent4), func(b []byte) { b[22] ^= 1 }), ""},
		{"no checksum", false, with(icmpv4(3, 1, 0, sent4), func(b []byte) { b[22], b[23] = 0, 0 }), ""},
		{"a bit of the quote was turned", false, with(icmpv4(3, 1, 0, sent4), func(b []byte) { b[len(b)-1] ^= 1 }), ""},
		{"its end was not read", false, icmpv4(3, 1, 0, append(bytes.Clone(sent4), make([]byte, 100)...))[:100], ""},
		{"IPv6 too big", true, icmpv6(2, 0, 1280, sent6), "too big from 2001:db8:9::9: mtu 1280, 7443→9 seq 77"},
		{"IPv6 absurd MTU", true, icmpv6(2, 0, 1<<31, sent6), "too big from 2001:db8:9::9: mtu 65536, 7443→9 seq 77"},
		{"IPv6 prohibited", true, icmpv6(1, 1, 0, sent6), "prohibited (code 1) from 2001:db8:9::9: 7443→9 seq 77"},
		{"IPv6 no route", true, icmpv6(1, 0, 0, sent6), "unreachable (code 0) from 2001:db8:9::9: 7443→9 seq 77"},
		{"IPv6 parameter problem", true, icmpv6(4, 0, 0, sent6), ""},
		{"IPv6 quote too short", true, icmpv6(2, 0, 1280, sent6[:47]), ""},
	} {
		r, local, remote, ok := parseICMPv4(c.b)
		wantLocal, wantRemote := here4, there4
		if c.v6 {
			r, local, remote, ok = parseICMPv6(c.b, router6)
			wantLocal, wantRemote = here6, there6
		}
		switch {
		case ok != (c.want != ""):
			t.Errorf("%s: read is %v", c.name, ok)
		case ok && (r.String() != c.want || local != wantLocal || remote != wantRemote):
			t.Errorf("%s: %v, %v→%v; want %s", c.name, r, local, remote, c.want)
		}
	}
}

func FuzzParseICMP(f *testing.F) {
	sent := ipPacketOf(Packet{Local: here4, Remote: there4, Header: tcpHeader(7443, 9, 77, 0, 0)})
	f.Add(icmpv4(3, 4, 1400, sent))
	f.Add(icmpv6(2, 0, 1400, ipPacketOf(Packet{Local: here6, Remote: there6, Header: tcpHeader(7443, 9, 77, 0, 0)})))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = seal(bytes.Clone(b))
		if r, local, remote, ok := parseICMPv4(b); ok && (!local.Is4() || !remote.Is4() || r.Kind == 0) {
			t.Errorf("%v %v→%v", r, local, remote)
		}
		if r, local, remote, ok := parseICMPv6(b, there6); ok && (!local.Is6() || !remote.Is6() || r.Kind == 0) {
			t.Errorf("%v %v→%v", r, local, remote)
		}
	})
}
