package packet

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// A raw socket is given ICMP messages before the kernel looks at them.
func TestMessagesWithWrongChecksumsAreNotReported(t *testing.T) {
	a, tun := headless(t)
	message := func(v6 bool, seq uint32) []byte {
		p := Packet{Local: here4, Remote: there4, Header: tcpHeader(clientPort, serverPort, seq, 0x10, 0)}
		if !v6 {
			b := icmpv4(icmpUnreachable, 1, 0, ipPacketOf(p))
			b[10], b[11] = 0, 0
			binary.BigEndian.PutUint16(b[10:], ^slowSum(b[:ipv4Header]))
			return b
		}
		p.Local, p.Remote = here6, there6
		m := icmpv6(icmpv6Unreachable, 3, 0, ipPacketOf(p))
		b := appendIP(nil, &Packet{Local: netip.MustParseAddr("2001:db8:9::9"), Remote: here6}, len(m), 0)
		b[6] = 58
		pseudo := append(append([]byte(nil), b[8:40]...), 0, 0, 0, byte(len(m)), 0, 0, 0, 58)
		binary.BigEndian.PutUint16(m[2:], ^slowSum(pseudo, m))
		return append(b, m...)
	}
	for _, v6 := range []bool{false, true} {
		bad := message(v6, 1)
		bad[len(bad)-1] ^= 1
		for _, b := range [][]byte{bad, message(v6, 2)} {
			if _, err := tun.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		if r := a.next().Report; r == nil || r.Kind != ReportUnreachable || r.Seq != 2 {
			t.Errorf("IPv6 %v: the first report is %v", v6, r)
		}
	}
}
