package packet

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hawser/test/netlab"
)

// BenchmarkPath sends from one host to another as fast as both can, and reports Gbit/s of payload that arrived and the
// CPU seconds per GB (10⁹ bytes of payload) of everything: both ends and the kernel between them. Run it alone:
//
//	go test -run '^$' -bench Path ./transport/packet
func BenchmarkPath(b *testing.B) {
	for _, c := range []struct {
		name           string
		mode           Mode
		offload, merge bool
	}{
		{"gso/whole", ModeGSO, true, true},
		{"gso/cut-by-kernel/gro", ModeGSO, false, true},
		{"gso/cut-by-kernel/no-gro", ModeGSO, false, false},
		{"frames", ModeFrames, true, false},
		{"rawip", ModeRawIP, true, false},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkPath(b, c.mode, c.offload, c.merge) })
	}
}

func benchmarkPath(b *testing.B, mode Mode, offload, merge bool) {
	netlab.NeedRoot(b)
	lab := netlab.New(b)
	ha, hb := lab.Host("a"), lab.Host("b")
	link := lab.Link(ha, hb, netlab.LinkConfig{})
	if !offload {
		setOffload(b, ha, link.Interface(netlab.SideA), unix.ETHTOOL_STSO, 0)
		setOffload(b, ha, link.Interface(netlab.SideA), unix.ETHTOOL_SGSO, 0)
	}
	if merge {
		setOffload(b, hb, link.Interface(netlab.SideB), unix.ETHTOOL_SGRO, 1)
	}
	a := &station{t: b, host: ha, port: clientPort, v4: link.Addr(netlab.SideA)}
	z := &station{t: b, host: hb, port: serverPort, v4: link.Addr(netlab.SideB)}
	for s, iface := range map[*station]string{a: link.Interface(netlab.SideA), z: link.Interface(netlab.SideB)} {
		if err := s.open(iface); err != nil {
			b.Fatal(err)
		}
	}
	meet(a, z, false)
	a.force(mode)
	var arrived atomic.Int64
	reader := make(chan error)
	go func() { reader <- z.sink(&arrived) }()
	payload := data(MaxPayload / 1400 * 1400)
	header := tcpHeader(a.port, z.port, 1, 0x10, 28)
	b.SetBytes(int64(len(payload)))
	var before, after unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &before)
	start := time.Now()
	for b.Loop() {
		p := Packet{Local: a.v4, Remote: z.v4, Header: header, Payload: payload, SegmentSize: 1400}
		for ps := []Packet{p}; len(ps) > 0; {
			n, err := a.sock.WriteBatch(ps)
			if err != nil && !errors.Is(err, ErrCongested) {
				b.Fatal(err)
			}
			ps = ps[n:]
		}
	}
	took := time.Since(start)
	_ = unix.Getrusage(unix.RUSAGE_SELF, &after)
	_ = z.sock.Close()
	if err := <-reader; !errors.Is(err, net.ErrClosed) {
		b.Error(err)
	}
	_ = a.sock.Close()
	cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	got := float64(arrived.Load())
	b.ReportMetric(got*8/1e9/took.Seconds(), "Gbit/s")
	b.ReportMetric(cpu.Seconds()/(got/1e9), "CPU-s/GB")
	b.ReportMetric(100*(1-got/float64(int64(len(payload))*int64(b.N))), "%lost")
}

// sink reads and counts until the Socket closes.
func (s *station) sink(arrived *atomic.Int64) error {
	ps := make([]Packet, 64)
	for {
		n, err := s.sock.ReadBatch(ps)
		if err != nil {
			return err
		}
		for i := range ps[:n] {
			arrived.Add(int64(len(ps[i].Payload)))
			ps[i].Release()
		}
	}
}

// open reserves the station's port and opens its Socket.
func (s *station) open(iface string) error {
	return s.host.Do(func() (err error) {
		if s.ports, err = Reserve(PortConfig{Port: s.port}); err != nil {
			return err
		}
		s.sock, err = Open(Config{Interface: iface, Ports: s.ports})
		return err
	})
}

func BenchmarkNextHop(b *testing.B) {
	for _, n := range []int{1, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := newHops()
			k := routeKey{index: 1, local: here4, remote: there4}
			for range n {
				h.find(start, k, true, false)
				h.settle(k, answer{index: 1, direct: true, gateway: k.remote})
				h.learn(neighKey{1, k.remote}, neighReachable, hardwareAddr{1})
				k.remote = k.remote.Next()
			}
			k.remote = there4
			b.ReportAllocs()
			for b.Loop() {
				h.find(start, k, false, false)
			}
		})
	}
}
