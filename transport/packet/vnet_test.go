package packet

import (
	"encoding/binary"
	"testing"
)

func TestVnetHeaderOfSuperSegmentsAndSegments(t *testing.T) {
	h := tcpHeader(1, 2, 3, 0, 12)
	cwr := tcpHeader(1, 2, 3, flagCWR, 12)
	for _, c := range []struct {
		name             string
		p                Packet
		payload, segment int
		want             vnetHeader
	}{
		{"IPv4 super-segment", Packet{Local: here4, Header: h}, 3000, 1448, vnetHeader{1, gsoTCPv4, 66, 1448, 34, 16}},
		{"IPv6 super-segment", Packet{Local: here6, Header: h}, 3000, 1428, vnetHeader{1, gsoTCPv6, 66, 1428, 34, 16}},
		{"congestion window reduced", Packet{Local: here4, Header: cwr}, 3000, 1448, vnetHeader{1, gsoTCPv4 | gsoECN, 66, 1448, 34, 16}},
		{"exactly one segment", Packet{Local: here4, Header: h}, 1448, 1448, vnetHeader{1, gsoNone, 66, 0, 34, 16}},
		{"no payload", Packet{Local: here4, Header: cwr}, 0, 0, vnetHeader{1, gsoNone, 66, 0, 34, 16}},
	} {
		if got := vnetFor(&c.p, 34, c.payload, c.segment); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestVnetHeaderLayout(t *testing.T) {
	h := vnetHeader{1, 2, 3, 4, 5, 6}
	b := h.append(nil)
	ne := binary.NativeEndian
	if len(b) != vnetLen || b[0] != 1 || b[1] != 2 || ne.Uint16(b[2:]) != 3 || ne.Uint16(b[4:]) != 4 || ne.Uint16(b[6:]) != 5 || ne.Uint16(b[8:]) != 6 {
		t.Errorf("bytes are %x", b)
	}
	if got := vnetFrom(b); got != h {
		t.Errorf("read back: %+v", got)
	}
}

func TestTheKernelVouchesOnlyWithItsFlags(t *testing.T) {
	for flags, want := range map[uint8]bool{0: false, vnetNeedsChecksum: true, vnetDataValid: true, 4: false} {
		if got := (vnetHeader{flags: flags}).vouched(); got != want {
			t.Errorf("flags %d: %v", flags, got)
		}
	}
	for _, c := range []struct {
		h    vnetHeader
		want int
	}{
		{vnetHeader{gsoType: gsoTCPv4, gsoSize: 1448}, 1448},
		{vnetHeader{gsoType: gsoTCPv6 | gsoECN, gsoSize: 1428}, 1428},
		{vnetHeader{gsoType: gsoTCPv4}, 5000},
		{vnetHeader{gsoType: 3, gsoSize: 1448}, 5000}, // UDP
		{vnetHeader{gsoSize: 1448}, 5000},
		{vnetHeader{gsoType: gsoTCPv4, gsoSize: 9000}, 5000},
	} {
		if got := c.h.segmentSize(5000); got != c.want {
			t.Errorf("%+v: segment size %d, want %d", c.h, got, c.want)
		}
	}
}
