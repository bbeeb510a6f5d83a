package packet

import (
	"fmt"
	"net/netip"
	"testing"

	"hawser/test/netlab"
)

// What a router passes on from a port of the block is not this host's.
func TestOnlyResetsOfThisHostAreReported(t *testing.T) {
	s := &Socket{interfaces: interfaces{all: map[int]*iface{3: {}}}}
	s.addrs.Store(&map[netip.Addr]struct{}{here4: {}, here6: {}})
	tap := &resetTap{s: s}
	for _, c := range []struct {
		name     string
		src, dst netip.Addr
		index    int
		want     bool
	}{
		{"IPv4", here4, there4, 3, true},
		{"IPv6", here6, there6, 3, true},
		{"passed on", there4, here4, 3, false},
		{"by an interface that is gone", here4, there4, 4, false},
	} {
		header := tcpHeader(61030, 443, 4711, 0x04, 0)
		frame := append(make([]byte, vnetLen), ipPacketOf(Packet{Local: c.src, Remote: c.dst, Header: header})...)
		var p Packet
		if got := tap.read(frame, c.index, &p); got != c.want {
			t.Errorf("%s: reported: %v, want %v", c.name, got, c.want)
		}
		if !c.want {
			continue
		}
		r := p.Report
		if p.Local != c.src || p.Remote != c.dst || p.Interface != 3 || r.Kind != ReportReset || r.LocalPort != 61030 || r.RemotePort != 443 || r.Seq != 4711 {
			t.Errorf("%s: %v→%v by %d: %v", c.name, p.Local, p.Remote, p.Interface, r)
		}
	}
	if tap.read(nil, 3, new(Packet)) || tap.read(make([]byte, vnetLen+5), 3, new(Packet)) {
		t.Error("a piece of a frame is reported")
	}
}

// What a firewall answers may be the last of a peer's stream: with the report before it, the carrier would end a connection
// whose data are all there.
func TestAResetIsReportedBehindThePacketsBeforeIt(t *testing.T) {
	families(t, func(t *testing.T, v6 bool) {
		a, b, _ := pair(t, netlab.LinkConfig{})
		meet(a, b, v6)
		run(t, b.host, tool(t, "nft"), fmt.Sprintf("add table inet f; add chain inet f in { type filter hook input priority 0; }; add rule inet f in tcp dport %d reject with tcp reset", serverPort))
		const packets = 5 * receiveSlots
		for i := range uint32(packets) {
			a.send(a.packet(b, v6, 1000*i, data(1), 0)) // with gaps: the kernel merges none
		}
		for range packets {
			a.next() // all resets are under way, and nothing was read at b
		}
		for i := range 2 * packets {
			if p := b.next(); (p.Report != nil) != (i >= packets) {
				t.Fatalf("what comes %d. is a report: %v; want %d packets, then as many reports", i, p.Report, packets)
			}
		}
	})
}
