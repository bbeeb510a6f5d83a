//go:build linux

package netlab_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hawser/test/netlab"
	"hawser/test/netlab/profile"
)

func TestUplinksShareABottleneck(t *testing.T) {
	const packets, size, frame = 20, 1000, 1000 + 8 + 20 + 14
	for _, shared := range []bool{false, true} {
		lab := netlab.New(t)
		client, server := lab.Host("client"), lab.Host("server")
		uplinks := []netlab.LinkConfig{{Emulate: true}, {Emulate: true}}
		neck := netlab.LinkConfig{BRate: netlab.Kbit, QueueBytes: 30 * frame} // 8 s a packet: the queue does not empty
		if !shared {
			for n := range uplinks {
				uplinks[n].ARate, uplinks[n].QueueBytes = neck.BRate, neck.QueueBytes
			}
			neck = netlab.LinkConfig{}
		}
		m := lab.SharedBottleneck(client, server, uplinks, neck, netlab.IPv4)
		t.Log("# one uplink alone fits into the queue, both together do not")
		for _, u := range m.Uplinks {
			sendUDP(t, client, netip.AddrPortFrom(u.Addr(netlab.SideA), 0), netip.AddrPortFrom(m.Addr, 9000), packets, size)
			awaitThat(t, "the uplink has them", func() bool { return u.Counters(netlab.AToB).InPackets >= packets })
		}
		dropped := int64(0)
		if shared {
			awaitThat(t, "the bottleneck has them", func() bool { return m.Access.Counters(netlab.BToA).InPackets >= 2*packets })
			dropped = m.Access.Counters(netlab.BToA).Drops.Queue
		}
		for _, u := range m.Uplinks {
			dropped += u.Counters(netlab.AToB).Drops.Queue
		}
		if want := int64(0); !shared && dropped != want || shared && dropped < packets/2-1 {
			t.Errorf("shared %v: %d packets dropped", shared, dropped)
		}
	}
}

// sendUDP sends packets from an address of a host.
func sendUDP(t *testing.T, h *netlab.Host, from, to netip.AddrPort, packets, size int) {
	t.Helper()
	c, err := h.ListenPacket("udp4", from.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range packets {
		if _, err := c.WriteTo(make([]byte, size), net.UDPAddrFromAddrPort(to)); err != nil {
			t.Fatal(err)
		}
	}
}

// outstanding is what a connection's peer has not acknowledged, bytes (SIOCOUTQ).
func outstanding(t *testing.T, c net.Conn) (n int) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var asked error
	err = raw.Control(func(fd uintptr) { n, asked = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
	if err != nil || asked != nil {
		t.Fatal(err, asked)
	}
	return n
}

// TestShapeChangesWhileTrafficRuns changes each part of a link's shape between packets that are on their way.
func TestShapeChangesWhileTrafficRuns(t *testing.T) {
	const a, b = netlab.SideA, netlab.SideB
	r := newRig(t, netlab.LinkConfig{Emulate: true})
	latency := func(from netlab.Side, n uint32) time.Duration {
		start := time.Now()
		r.send(from, n, 1000)
		return r.receive(1 - from).at.Sub(start)
	}
	t.Log("# delay, each direction by itself: a packet is never early, and the other direction's delay shows by its absence")
	r.link.SetDelay(netlab.AToB, 300*time.Millisecond)
	if took := latency(a, 1); took < 300*time.Millisecond {
		t.Errorf("a→b took %v, want 300 ms", took)
	}
	fast := time.Hour
	for n := range uint32(20) {
		fast = min(fast, latency(b, n))
	}
	if fast > 150*time.Millisecond {
		t.Errorf("b→a took at least %v, as if it had the delay of a→b", fast)
	}
	t.Log("# a packet on its way keeps its delay, the next has the new one but does not overtake")
	r.send(a, 2, 1000)
	r.entered(a, 2)
	r.link.SetDelay(netlab.AToB, 0)
	r.send(a, 3, 1000)
	r.wantNumbers("order", r.until(b, 3), 2, 3)
	t.Log("# rate, asymmetric")
	r.link.SetRate(netlab.AToB, 100*netlab.Kbit) // 1042 bytes take 83 ms
	r.link.SetRate(netlab.BToA, 100*netlab.Mbit)
	if took := latency(a, 4); took < 83*time.Millisecond {
		t.Errorf("a→b took %v, want at least 83 ms", took)
	}
	if up, down := r.link.Shape(netlab.AToB).Rate, r.link.Shape(netlab.BToA).Rate; up != 100*netlab.Kbit || down != 100*netlab.Mbit {
		t.Errorf("rates %d and %d", up, down)
	}
	r.link.SetRate(netlab.AToB, 0)
	t.Log("# loss: all, then none")
	r.link.SetLoss(netlab.AToB, 1)
	r.send(a, 5, 1000)
	r.entered(a, 5)
	r.link.SetLoss(netlab.AToB, 0)
	r.send(a, 6, 1000)
	r.wantNumbers("loss", r.until(b, 6), 6)
	t.Log("# everything at once, one direction")
	r.link.SetShape(netlab.BToA, netlab.Shape{Delay: 50 * time.Millisecond, QueueTime: time.Second})
	if took := latency(b, 21); took < 50*time.Millisecond {
		t.Errorf("b→a took %v, want 50 ms", took)
	}
	if got := r.link.Shape(netlab.AToB); got != (netlab.Shape{}) {
		t.Errorf("a→b changed too: %+v", got)
	}
}

func TestProfilesMakeLinks(t *testing.T) {
	p := profile.FastSlow()
	cfgs := netlab.Uplinks(p)
	lab := netlab.New(t)
	m := lab.Multihome(lab.Host("client"), lab.Host("server"), cfgs)
	for n, l := range p.Links {
		for _, d := range []netlab.Direction{netlab.AToB, netlab.BToA} {
			got := m.Uplinks[n].Shape(d)
			if want := (netlab.Shape{Rate: l.Rate, Delay: l.Delay, QueueBytes: l.QueueBytes}); got != want {
				t.Errorf("link %d %v: %+v, want %+v", n, d, got, want)
			}
		}
	}
}

func TestWholeLabIsCaptured(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pcap")
	t.Setenv("NETLAB_PCAP", dir)
	t.Run("lab", func(t *testing.T) {
		r := newRig(t, netlab.LinkConfig{Name: "dsl"}) // it would be plain
		r.lab.Link(r.hosts[0], r.lab.Host("c"), netlab.LinkConfig{A: []string{}, B: []string{}})
		r.send(netlab.SideA, 1, 100)
		r.until(netlab.SideB, 1)
	})
	files := entries(t, dir)
	if len(files) != 2 {
		t.Fatalf("captures %q, want one for each of two links", files)
	}
	sizes := map[bool]int{}
	for _, f := range files {
		info, err := os.Stat(filepath.Join(dir, f))
		if err != nil {
			t.Fatal(err)
		}
		match, _ := filepath.Match("*-a-b-dsl.pcap", f)
		sizes[match] = int(info.Size())
	}
	if const3 := 24 + 3*16; sizes[true] < const3 || sizes[false] == 0 {
		t.Error(fmt.Sprint("sizes ", sizes, ", want frames on the first link and a header at least on the second"))
	}
}
