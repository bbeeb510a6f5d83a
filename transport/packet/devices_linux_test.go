package packet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"hawser/test/netlab"
)

func TestAPortOfABridgeStandsForTheBridge(t *testing.T) {
	lab := netlab.New(t)
	ha, hb := lab.Host("a"), lab.Host("b")
	link := lab.Link(ha, hb, netlab.LinkConfig{B: []string{}, A: []string{"192.0.2.1/24", "2001:db8::1/64"}})
	ip, port := tool(t, "ip"), link.Interface(netlab.SideB)
	run(t, hb, ip, "link", "add", "br0", "type", "bridge")
	run(t, hb, ip, "link", "set", port, "master", "br0")
	run(t, hb, ip, "addr", "add", "192.0.2.2/24", "dev", "br0")
	run(t, hb, ip, "addr", "add", "2001:db8::2/64", "dev", "br0", "nodad")
	run(t, hb, ip, "link", "set", "br0", "up")
	a := stationOn(t, ha, link.Interface(netlab.SideA), clientPort, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"))
	b := stationOn(t, hb, port, serverPort, netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::2"))
	if got := b.interfaceStatus().Name; got != "br0" {
		t.Fatalf("the Socket is on %s, want br0", got)
	}
	for _, v6 := range []bool{false, true} {
		meet(a, b, v6)
		transfer(a, b, v6, 1400)
		transfer(b, a, v6, 1400)
	}
}

func TestAVLANInterfaceWorksAsAnyOther(t *testing.T) {
	lab := netlab.New(t)
	ha, hb := lab.Host("a"), lab.Host("b")
	link := lab.Link(ha, hb, netlab.LinkConfig{A: []string{}, B: []string{}})
	ip := tool(t, "ip")
	addrs := [2]netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}
	for side, h := range []*netlab.Host{ha, hb} {
		add := h.Command(t.Context(), ip, "link", "add", "link", link.Interface(netlab.Side(side)), "name", "v5", "type", "vlan", "id", "5")
		if out, err := add.CombinedOutput(); bytes.Contains(out, []byte("Unknown device type")) {
			t.Log("this kernel has no VLAN devices (8021q): what is left is that they are Ethernet devices as any other")
			return
		} else if err != nil {
			t.Fatalf("add VLAN: %v: %s", err, out)
		}
		run(t, h, ip, "addr", "add", addrs[side].String()+"/24", "dev", "v5")
		run(t, h, ip, "link", "set", "v5", "up")
	}
	a := stationOn(t, ha, "v5", clientPort, addrs[0], netip.Addr{})
	b := stationOn(t, hb, "v5", serverPort, addrs[1], netip.Addr{})
	meet(a, b, false)
	transfer(a, b, false, 1400)
}

func TestADeviceWithoutLinkHeaderSendsSuperSegmentsAndReceives(t *testing.T) {
	a, tun := headless(t)
	peer := &station{port: serverPort, v4: netip.MustParseAddr("192.0.2.2")}

	t.Log("# the first packet finds the route; there are no neighbours")
	b, at := make([]byte, 1<<16), uint32(0)
	all := data(10 * 1400)
	for a.interfaceStatus().SentGSO == 0 {
		a.send(a.packet(peer, false, 0, all, 1400))
		for at = 0; at < uint32(len(all)); {
			ip := nextTCP(t, tun, b)
			segment := ip.payload
			if !verify(ip.src, ip.dst, segment) || !bytes.Equal(segment[32:], all[at:at+1400]) {
				t.Fatalf("segment at %d is not what was sent", at)
			}
			at += 1400
		}
	}
	t.Log("# the other way")
	in := Packet{Local: peer.v4, Remote: a.v4, Header: tcpHeader(serverPort, clientPort, 9, 0x10, 12), Payload: all[:1000]}
	if _, err := tun.Write(ipPacketOf(in)); err != nil {
		t.Fatal(err)
	}
	a.want(peer, 9, 1000)
}

// RFC 6864 §4.3: "Sources of non-atomic IPv4 datagrams … MUST NOT repeat IPv4 ID values within one MDL for a given source
// address/destination address/protocol tuple", each segment for itself. All others must not be fragmented.
func TestPacketsThatMayBeFragmentedHaveIdentifications(t *testing.T) {
	a, tun := headless(t)
	peer := &station{port: serverPort, v4: netip.MustParseAddr("192.0.2.2")}
	seen := map[uint16]bool{}
	b := make([]byte, 1<<16)
	const segments = 5
	for i := range 100 {
		p := a.packet(peer, false, 0, data(segments*500), 500)
		p.Fragment = i%2 == 0
		a.send(p)
		for range segments {
			nextTCP(t, tun, b)
			id, whole := binary.BigEndian.Uint16(b[4:]), b[6]&0x40 != 0
			if whole == p.Fragment {
				t.Fatalf("packet %d must not be fragmented: %v", i, whole)
			}
			if p.Fragment && (id == 0 || seen[id]) {
				t.Fatalf("packet %d has the identification %d, which %v was used before", i, id, seen[id])
			}
			seen[id] = seen[id] || p.Fragment
		}
	}
}

// RFC 1122 §3.3.2: "The IP layer MUST implement reassembly of IP datagrams", and what is put together is checked as a
// whole.
func TestFragmentsArePutTogether(t *testing.T) {
	a, tun := headless(t)
	peer := &station{port: serverPort, v4: netip.MustParseAddr("192.0.2.2")}
	whole := ipPacketOf(Packet{Local: peer.v4, Remote: a.v4, Header: tcpHeader(serverPort, clientPort, 9, 0x10, 12), Payload: data(1000)})
	var pieces [][]byte
	for at := 0; at < len(whole)-ipv4Header; at += 256 {
		end := min(at+256, len(whole)-ipv4Header)
		b := append(bytes.Clone(whole[:ipv4Header]), whole[ipv4Header+at:ipv4Header+end]...)
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		binary.BigEndian.PutUint16(b[4:], 4711)
		field := uint16(at / 8)
		if end < len(whole)-ipv4Header {
			field |= 0x2000
		}
		binary.BigEndian.PutUint16(b[6:], field)
		binary.BigEndian.PutUint16(b[10:], 0)
		binary.BigEndian.PutUint16(b[10:], ^slowSum(b[:ipv4Header]))
		pieces = append(pieces, b)
	}
	write := func(bs ...[]byte) {
		for _, b := range bs {
			if _, err := tun.Write(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(pieces[0], whole) // the first fragment only tells that there are any
	a.want(peer, 9, 1000)
	write(pieces[2], pieces[0], pieces[4], pieces[1], pieces[3])
	a.want(peer, 9, 1000)
	if r := a.sock.Status().Received; r.Packets != 2 || r.BadSum != 0 || r.Malformed != 1 {
		t.Errorf("%+v", r)
	}
}

// RFC 1122 §3.2.1.2: "A host MUST verify the IP header checksum on every received datagram and silently discard every
// datagram that has a bad checksum."
func TestIPv4HeadersWithABadChecksumAreDiscarded(t *testing.T) {
	a, tun := headless(t)
	peer := &station{port: serverPort, v4: netip.MustParseAddr("192.0.2.2")}
	in := Packet{Local: peer.v4, Remote: a.v4, Header: tcpHeader(serverPort, clientPort, 9, 0x10, 12), Payload: data(1000)}
	good := ipPacketOf(in)
	for _, b := range [][]byte{
		with(good, func(b []byte) { b[10] ^= 1 }), // the checksum itself
		with(good, func(b []byte) { b[1] ^= 3 }),  // a mark that nobody has set
		good,
	} {
		if _, err := tun.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	a.want(peer, 9, 1000)
	if r := a.sock.Status().Received; r.Packets != 1 || r.BadSum != 2 || r.Malformed != 0 {
		t.Errorf("%+v, want one packet, and two with a bad checksum", r)
	}
}

func TestChangesOfTheInterfaceAreHandedUp(t *testing.T) {
	lab := netlab.New(t)
	ha, hb := lab.Host("a"), lab.Host("b")
	link := lab.Link(ha, hb, netlab.LinkConfig{})
	a := stationOn(t, ha, link.Interface(netlab.SideA), clientPort, link.Addr(netlab.SideA), link.Addr6(netlab.SideA))
	ip := tool(t, "ip")
	run(t, ha, ip, "link", "set", link.Interface(netlab.SideA), "mtu", "1400")
	if p := a.next(); p.Report == nil || p.Report.Kind != ReportMTU || p.Report.MTU != 1400 || a.sock.MTU() != 1400 {
		t.Errorf("got %+v, MTU %d", p, a.sock.MTU())
	}
	run(t, ha, ip, "link", "del", link.Interface(netlab.SideA))
	for range 2 { // the error stays
		if n, err := a.sock.ReadBatch(a.ps[:]); n != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("the interface is gone: %d packets, %v", n, err)
		}
	}
}

func TestCloseEndsAReaderAndRefusesWriters(t *testing.T) {
	a, b, _ := pair(t, netlab.LinkConfig{})
	done := make(chan error)
	go func() {
		_, err := a.sock.ReadBatch(make([]Packet, 8))
		done <- err
	}()
	var other *Socket
	err := a.host.Do(func() (err error) {
		other, err = Open(Config{Interface: a.sock.name, Ports: a.ports})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := other.ReadBatch(make([]Packet, 8))
		done <- err
	}()
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("reader: %v", err)
	}
	if _, err := other.WriteBatch([]Packet{a.packet(b, false, 1, nil, 0)}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writer: %v", err)
	}
	if err := other.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	b.send(b.packet(a, false, 1, nil, 0)) // ends the first reader
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAnInterfaceThatMergesTooMuchIsRefused(t *testing.T) {
	lab := netlab.New(t)
	h := lab.Host("a")
	link := lab.Link(h, lab.Host("b"), netlab.LinkConfig{})
	name := link.Interface(netlab.SideA)
	if out, err := h.Command(t.Context(), tool(t, "ip"), "link", "set", "dev", name, "gro_max_size", "200000").CombinedOutput(); err != nil {
		t.Skipf("missing kernel feature: gro_max_size: %s", out)
	}
	for _, from := range []string{name, ""} {
		s := &station{t: t, host: h, port: clientPort}
		err := s.open(from)
		_ = s.ports.Close()
		if err == nil || !strings.Contains(err.Error(), "ip link set dev "+name+" gro_max_size 65536") {
			t.Errorf("open %q: %v", from, err)
		}
	}
}

func TestTheConfigurationCanRuleOutBetterModes(t *testing.T) {
	a, b, link := pair(t, netlab.LinkConfig{})
	for _, mode := range []Mode{ModeFrames, ModeRawIP} {
		err := a.host.Do(func() (err error) {
			if err := a.sock.Close(); err != nil {
				return err
			}
			a.sock, err = Open(Config{Interface: link.Interface(netlab.SideA), Ports: a.ports, Best: mode})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		meet(a, b, false)
		transfer(a, b, false, 1400)
		a.sock.Restore(a.sock.index)
		if st := a.interfaceStatus(); st.Mode != mode || st.SentGSO > 0 || st.Reason != "set by the configuration" {
			t.Errorf("%v: %+v", mode, st)
		}
	}
}
