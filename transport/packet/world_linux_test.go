package packet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hawser/test/netlab"
)

const (
	clientPort = 61024
	serverPort = 7443
	patience   = 20 * time.Second // after which a test that waits for a packet gives up
)

// station is a Socket on a host of the lab.
type station struct {
	t      testing.TB
	host   *netlab.Host
	sock   *Socket
	ports  *Ports
	port   uint16
	v4, v6 netip.Addr
	in     []Packet // read and not looked at
	ps     [64]Packet
}

// stationOn opens a Socket on an interface of a host; "": on all.
func stationOn(t *testing.T, h *netlab.Host, iface string, port uint16, v4, v6 netip.Addr) *station {
	t.Helper()
	s := &station{t: t, host: h, port: port, v4: v4, v6: v6}
	if err := s.open(iface); err != nil {
		t.Fatal(err)
	}
	giveUp := time.AfterFunc(patience, func() { _ = s.sock.Close() })
	t.Cleanup(func() {
		giveUp.Stop()
		if err := s.sock.Close(); err != nil {
			t.Errorf("the socket of %s was closed because nothing came for %v", h.Name(), patience)
		}
		_ = s.ports.Close()
	})
	return s
}

// pair is two hosts, a link and a Socket at each end.
func pair(t *testing.T, cfg netlab.LinkConfig) (a, b *station, link *netlab.Link) {
	t.Helper()
	lab := netlab.New(t)
	ha, hb := lab.Host("a"), lab.Host("b")
	link = lab.Link(ha, hb, cfg)
	a = stationOn(t, ha, link.Interface(netlab.SideA), clientPort, link.Addr(netlab.SideA), link.Addr6(netlab.SideA))
	b = stationOn(t, hb, link.Interface(netlab.SideB), serverPort, link.Addr(netlab.SideB), link.Addr6(netlab.SideB))
	return a, b, link
}

// headless gives a station on a device without link header, and what is on the device.
func headless(t *testing.T) (*station, *os.File) {
	t.Helper()
	h := netlab.New(t).Host("a")
	tun := openTUN(t, h, "tun0", here4.String()+"/24")
	run(t, h, tool(t, "ip"), "addr", "add", here6.String()+"/64", "dev", "tun0", "nodad")
	return stationOn(t, h, "tun0", clientPort, here4, here6), tun
}

// nextTCP reads the next packet of TCP from a device into b; the system's own router solicitations are there, too.
func nextTCP(t *testing.T, tun *os.File, b []byte) ipPacket {
	t.Helper()
	for {
		n, err := tun.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if ip, ok := parseIP(b[:n]); ok {
			return ip
		}
	}
}

// packet is one from s to r.
func (s *station) packet(r *station, v6 bool, seq uint32, payload []byte, segment int) Packet {
	p := Packet{
		Local: s.v4, Remote: r.v4, Header: tcpHeader(s.port, r.port, seq, 0x10, 12), Payload: payload, SegmentSize: segment,
	}
	if v6 {
		p.Local, p.Remote = s.v6, r.v6
	}
	return p
}

// send sends all, through congestion.
func (s *station) send(ps ...Packet) {
	s.t.Helper()
	for len(ps) > 0 {
		n, err := s.sock.WriteBatch(ps)
		if err != nil && !errors.Is(err, ErrCongested) {
			s.t.Fatalf("send from %s: %v", s.host.Name(), err)
		}
		ps = ps[n:]
	}
}

// next waits for a packet.
func (s *station) next() Packet {
	s.t.Helper()
	for len(s.in) == 0 {
		n, err := s.sock.ReadBatch(s.ps[:])
		if err != nil {
			s.t.Fatalf("%s waits for a packet: %v; %+v", s.host.Name(), err, s.sock.Status())
		}
		s.in = append(s.in, s.ps[:n]...)
	}
	p := s.in[0]
	s.in = s.in[1:]
	return p
}

// want waits for n bytes of the pattern from seq on, in order, and returns the largest packet.
func (s *station) want(from *station, seq uint32, n int) (largest int) {
	s.t.Helper()
	all := data(n)
	for got := 0; got < n; {
		p := s.next()
		if p.Report != nil {
			s.t.Fatalf("a report: %v", p.Report)
		}
		at := binary.BigEndian.Uint32(p.Header[4:]) - seq
		if int(at) != got || !bytes.Equal(p.Payload, all[got:got+len(p.Payload)]) {
			s.t.Fatalf("packet at %d with %d bytes, want the next at %d; the bytes must be those sent", at, len(p.Payload), got)
		}
		if p.Remote != from.v4 && p.Remote != from.v6 || p.Local != s.v4 && p.Local != s.v6 {
			s.t.Fatalf("addresses are %v and %v", p.Local, p.Remote)
		}
		got += len(p.Payload)
		largest = max(largest, len(p.Payload))
		p.Release()
	}
	return largest
}

// meet exchanges single segments until both ends know their next hop well enough to use it.
func meet(a, b *station, v6 bool) {
	a.t.Helper()
	const rounds = 2000
	for range rounds {
		for _, d := range [][2]*station{{a, b}, {b, a}} {
			d[0].send(d[0].packet(d[1], v6, 0, data(1), 0))
			d[1].want(d[0], 0, 1)
		}
		if a.direct(b, v6) && b.direct(a, v6) {
			return
		}
	}
	a.t.Fatalf("after %d packets each way the next hops are not known:\n%+v\n%+v", rounds, a.sock.Status(), b.sock.Status())
}

// direct says whether a packet would go past the kernel's output.
func (s *station) direct(r *station, v6 bool) bool {
	p := s.packet(r, v6, 0, nil, 0)
	h := s.sock.hops.find(time.Now(), routeKey{s.sock.index, p.Local, p.Remote}, false, false)
	return h.direct
}

// interfaceStatus is the Socket's only interface.
func (s *station) interfaceStatus() InterfaceStatus {
	s.t.Helper()
	st := s.sock.Status()
	for _, i := range st.Interfaces {
		if i.Index == s.sock.index {
			return i
		}
	}
	s.t.Fatalf("no interface %d in %+v", s.sock.index, st)
	return InterfaceStatus{}
}

// force makes a mode the best that the station's interface has.
func (s *station) force(mode Mode) {
	f := s.sock.interfaces.get(s.sock.index)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ladder.restore(mode, "forced")
}

const bulk = 4 * MaxPayload // bytes of a transfer

// transfer sends bulk bytes in super-segments and checks them at the other end.
func transfer(a, b *station, v6 bool, segment int) (largest int) {
	a.t.Helper()
	all := data(bulk)
	var ps []Packet
	for at := 0; at < bulk; at += MaxPayload {
		ps = append(ps, a.packet(b, v6, 1000+uint32(at), all[at:at+MaxPayload], segment))
	}
	a.send(ps...)
	return b.want(a, 1000, bulk)
}

func families(t *testing.T, f func(t *testing.T, v6 bool)) {
	for _, v6 := range []bool{false, true} {
		t.Run(map[bool]string{false: "IPv4", true: "IPv6"}[v6], func(t *testing.T) { f(t, v6) })
	}
}

func TestSuperSegmentsPassAPlainLinkWhole(t *testing.T) {
	families(t, func(t *testing.T, v6 bool) {
		a, b, _ := pair(t, netlab.LinkConfig{})
		meet(a, b, v6)
		if largest := transfer(a, b, v6, 1400); largest != MaxPayload {
			t.Errorf("the largest packet has %d bytes, want %d", largest, MaxPayload)
		}
		st := a.interfaceStatus()
		if st.SentGSO < bulk/MaxPayload || st.Mode != ModeGSO || st.Reason != "" {
			t.Errorf("sender: %+v", st)
		}
		if r := b.sock.Status().Received; r.BadSum+r.Malformed+r.Overruns+r.Failures > 0 || r.Merged == 0 {
			t.Errorf("receiver: %+v", r)
		}
	})
}

func TestTheKernelCutsAndMergesWhereTheDeviceCannot(t *testing.T) {
	families(t, func(t *testing.T, v6 bool) {
		a, b, link := pair(t, netlab.LinkConfig{})
		setOffload(t, a.host, link.Interface(netlab.SideA), unix.ETHTOOL_STSO, 0)
		setOffload(t, a.host, link.Interface(netlab.SideA), unix.ETHTOOL_SGSO, 0)
		setOffload(t, b.host, link.Interface(netlab.SideB), unix.ETHTOOL_SGRO, 1)
		meet(a, b, v6)
		if largest := transfer(a, b, v6, 1400); largest < 2*1400 {
			t.Errorf("the largest packet has %d bytes: nothing was merged", largest)
		}
		if r := b.sock.Status().Received; r.BadSum+r.Malformed > 0 { // the kernel has made new headers of the merged ones
			t.Errorf("receiver: %+v", r)
		}
		if st := a.interfaceStatus(); st.SentGSO < bulk/MaxPayload || st.GSORefused > 0 {
			t.Errorf("sender: %+v", st)
		}
	})
}

func TestFramesAndRawIPCarryTheSameBytes(t *testing.T) {
	for _, mode := range []Mode{ModeFrames, ModeRawIP} {
		t.Run(mode.String(), func(t *testing.T) {
			families(t, func(t *testing.T, v6 bool) {
				a, b, _ := pair(t, netlab.LinkConfig{})
				meet(a, b, v6)
				a.force(mode)
				transfer(a, b, v6, 1400)
				st := a.interfaceStatus()
				if st.Mode != mode || mode == ModeFrames && st.SentFrames < bulk/MaxPayload || mode == ModeRawIP && st.SentRawIP < bulk/MaxPayload {
					t.Errorf("sender: %+v", st)
				}
				if r := b.sock.Status().Received; r.BadSum > 0 || r.Malformed > 0 {
					t.Errorf("receiver: %+v", r)
				}
			})
		})
	}
}

func TestAnEmulatedWireCarriesSegmentsWithGoodChecksums(t *testing.T) {
	families(t, func(t *testing.T, v6 bool) {
		a, b, _ := pair(t, netlab.LinkConfig{Emulate: true})
		meet(a, b, v6)
		transfer(a, b, v6, 1400)
		r := b.sock.Status().Received
		if r.Unverified < bulk/1400 || r.BadSum > 0 {
			t.Errorf("receiver: %+v, want every segment verified here and good", r)
		}
	})
}

func TestControlPacketsGoThroughTheKernelsOutput(t *testing.T) {
	a, b, _ := pair(t, netlab.LinkConfig{})
	meet(a, b, false)
	before := a.interfaceStatus()
	p := a.packet(b, false, 5, data(100), 0)
	p.Control = true
	a.send(p)
	b.want(a, 5, 100)
	if st := a.interfaceStatus(); st.SentControl != before.SentControl+1 || st.SentGSO != before.SentGSO {
		t.Errorf("before %+v, after %+v", before, st)
	}
}

func TestASocketOnAllInterfacesAnswersByTheRightOne(t *testing.T) {
	lab := netlab.New(t)
	client, server := lab.Host("client"), lab.Host("server")
	one, two := lab.Link(client, server, netlab.LinkConfig{Name: "one"}), lab.Link(client, server, netlab.LinkConfig{Name: "two"})
	s := stationOn(t, server, "", serverPort, netip.Addr{}, netip.Addr{})
	for i, link := range []*netlab.Link{one, two} {
		t.Run(link.Interface(netlab.SideA), func(t *testing.T) {
			c := stationOn(t, client, link.Interface(netlab.SideA), uint16(clientPort+i), link.Addr(netlab.SideA), link.Addr6(netlab.SideA))
			s.v4, s.v6 = link.Addr(netlab.SideB), link.Addr6(netlab.SideB)
			for range 50 {
				c.send(c.packet(s, false, 1, data(1000), 0))
				p := s.next()
				if got := s.sock.interfaces.get(p.Interface).status().Name; got != link.Interface(netlab.SideB) {
					t.Fatalf("came by %s", got)
				}
				for _, index := range []int{p.Interface, 0} {
					answer := s.packet(c, false, 1, data(1000), 0)
					answer.Interface = index
					s.send(answer)
					c.want(s, 1, 1000)
				}
				p.Release()
			}
		})
	}
	if len(s.sock.Status().Interfaces) < 2 {
		t.Errorf("status: %+v", s.sock.Status())
	}
}

func TestOwnPacketsDoNotComeBack(t *testing.T) {
	lab := netlab.New(t)
	ha, hb := lab.Host("a"), lab.Host("b")
	link := lab.Link(ha, hb, netlab.LinkConfig{})
	a := stationOn(t, ha, link.Interface(netlab.SideA), serverPort, link.Addr(netlab.SideA), link.Addr6(netlab.SideA))
	b := stationOn(t, hb, "", serverPort, link.Addr(netlab.SideB), link.Addr6(netlab.SideB)) // the filter passes both ways
	meet(a, b, true)
	transfer(a, b, true, 1400)
	transfer(b, a, true, 1400)
	for _, s := range []*station{a, b} {
		if r := s.sock.Status().Received; r.NotOurs > 0 || r.Malformed > 0 {
			t.Errorf("%s: %+v", s.host.Name(), r)
		}
	}
}

func TestOversizedSegmentsAreNotSent(t *testing.T) {
	a, b, _ := pair(t, netlab.LinkConfig{})
	meet(a, b, false)
	good, big := a.packet(b, false, 1, data(10), 0), a.packet(b, false, 1, data(5000), 1480)
	n, err := a.sock.WriteBatch([]Packet{good, big, good})
	var tooBig *TooBigError
	if n != 1 || !errors.Is(err, ErrTooBig) || !errors.As(err, &tooBig) || tooBig.MTU != 1500 || tooBig.Size != 1532 {
		t.Errorf("%d sent, %v", n, err)
	}
	big.SegmentSize = 1500 - 20 - 32
	if n, err = a.sock.WriteBatch([]Packet{big}); n != 1 || err != nil {
		t.Errorf("segments of exactly the MTU: %d sent, %v", n, err)
	}
	if n, err = a.sock.WriteBatch([]Packet{{}}); n != 0 || !errors.Is(err, ErrMalformed) {
		t.Errorf("an empty packet: %d sent, %v", n, err)
	}
	if fmt.Sprint(a.sock.MTU()) != "1500" {
		t.Errorf("MTU is %d", a.sock.MTU())
	}
}
