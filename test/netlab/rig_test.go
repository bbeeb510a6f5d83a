//go:build linux

package netlab_test

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hawser/test/netlab"
)

// A rig is two hosts, one link and a UDP socket at each end of it.
type rig struct {
	t     *testing.T
	lab   *netlab.Lab
	link  *netlab.Link
	hosts [2]*netlab.Host
	conns [2]net.PacketConn
	got   [2]chan packet

	before [2]netlab.Counters
}

func newRig(t *testing.T, cfg netlab.LinkConfig) *rig {
	t.Helper()
	lab := netlab.New(t)
	r := &rig{t: t, lab: lab, hosts: [2]*netlab.Host{lab.Host("a"), lab.Host("b")}}
	for _, h := range r.hosts { // its multicast would be counted
		h.Sysctl("net.ipv6.conf.default.disable_ipv6", "1")
	}
	cfg.A, cfg.B = []string{"192.0.2.1/24"}, []string{"192.0.2.2/24"}
	r.link = lab.Link(r.hosts[0], r.hosts[1], cfg)
	for side, h := range r.hosts {
		c, err := h.ListenPacket("udp4", ":9000")
		if err != nil {
			t.Fatal(err)
		}
		deepen(t, c)
		t.Cleanup(func() { _ = c.Close() })
		r.conns[side], r.got[side] = c, make(chan packet, 1<<14)
		go listen(c, r.got[side])
	}
	for _, from := range []netlab.Side{netlab.SideA, netlab.SideB} { // neighbours become known
		r.send(from, 0, 10)
		r.receive(1 - from)
		r.before[from] = r.link.Counters(directions[from])
	}
	return r
}

var directions = [2]netlab.Direction{netlab.AToB, netlab.BToA}

// counters returns what a side has sent since the rig is ready.
func (r *rig) counters(from netlab.Side) netlab.Counters {
	c := r.link.Counters(directions[from])
	c.InPackets -= r.before[from].InPackets
	c.InBytes -= r.before[from].InBytes
	c.Packets -= r.before[from].Packets
	c.Bytes -= r.before[from].Bytes
	return c
}

// entered waits until the link has taken as many packets from a side. The kernel may hand them over a little after
// the call that sent them.
func (r *rig) entered(from netlab.Side, packets int64) {
	r.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); r.counters(from).InPackets < packets; runtime.Gosched() {
		if time.Now().After(deadline) {
			r.t.Fatalf("%+v after 10 s, want %d packets in", r.counters(from), packets)
		}
	}
}

// deepen gives a socket a buffer for what comes while its reader waits for a processor.
func deepen(t *testing.T, c net.PacketConn) {
	t.Helper()
	raw, err := c.(*net.UDPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var set error
	err = raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20) })
	if err := errors.Join(err, set); err != nil {
		t.Fatal(err)
	}
}

// send sends a packet of size bytes that holds a number.
func (r *rig) send(from netlab.Side, number uint32, size int) {
	r.t.Helper()
	b := make([]byte, size)
	binary.BigEndian.PutUint32(b, number)
	far := net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 9000}
	if from == netlab.SideB {
		far.IP = net.IPv4(192, 0, 2, 1)
	}
	if _, err := r.conns[from].WriteTo(b, &far); err != nil {
		r.t.Fatal(err)
	}
}

// packet is what a host received.
type packet struct {
	number uint32
	size   int
	at     time.Time
}

// listen notes what a socket receives until it is closed.
func listen(c net.PacketConn, got chan<- packet) {
	b := make([]byte, 2048)
	for {
		n, _, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		got <- packet{binary.BigEndian.Uint32(b), n, time.Now()}
	}
}

// receive waits for a packet; a test that gets none fails after long enough for any machine.
func (r *rig) receive(on netlab.Side) packet {
	r.t.Helper()
	select {
	case p := <-r.got[on]:
		return p
	case <-time.After(10 * time.Second):
	}
	r.t.Fatalf("packet expected at side %v; counters %+v and %+v", on, r.counters(netlab.SideA), r.counters(netlab.SideB))
	return packet{}
}

// until receives packets up to the one of a number.
func (r *rig) until(on netlab.Side, number uint32) (got []packet) {
	r.t.Helper()
	for {
		p := r.receive(on)
		got = append(got, p)
		if p.number == number {
			return got
		}
	}
}

// wantNumbers compares the numbers of packets.
func (r *rig) wantNumbers(why string, got []packet, want ...uint32) {
	r.t.Helper()
	same := len(got) == len(want)
	for n := 0; same && n < len(want); n++ {
		same = got[n].number == want[n]
	}
	if !same {
		r.t.Errorf("%s: got %v, want numbers %v", why, got, want)
	}
}

// entries lists the names in a directory that may not exist.
func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}
