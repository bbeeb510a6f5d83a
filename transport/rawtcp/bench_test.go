package rawtcp

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hawser/transport/packet"
	"hawser/transport/tcp"
)

// cable is one end of a perfect packet path in real time: it hands super-segments over whole, costs one copy and
// allocates nothing.
type cable struct {
	peer *cable
	in   chan packet.Packet
	sent atomic.Int64 // packets
	once sync.Once
	end  chan struct{}
}

func newCable() (a, b *cable) {
	a = &cable{in: make(chan packet.Packet, 256), end: make(chan struct{})}
	b = &cable{in: make(chan packet.Packet, 256), end: make(chan struct{}), peer: a}
	a.peer = b
	return a, b
}

func (c *cable) ReadBatch(ps []packet.Packet) (n int, err error) {
	select {
	case ps[0] = <-c.in:
	case <-c.end:
		return 0, net.ErrClosed
	}
	for n = 1; n < len(ps); n++ {
		select {
		case ps[n] = <-c.in:
		default:
			return n, nil
		}
	}
	return n, nil
}

func (c *cable) WriteBatch(ps []packet.Packet) (int, error) {
	for i := range ps {
		p := ps[i]
		p.Own()
		p.Local, p.Remote, p.Interface, p.At = p.Remote, p.Local, 1, time.Now()
		select {
		case c.peer.in <- p:
			c.sent.Add(1)
		default:
			p.Release()
			return i, packet.ErrCongested
		}
	}
	return len(ps), nil
}

func (c *cable) MTU() int { return 1500 }

func (c *cable) Close() error {
	c.once.Do(func() { close(c.end) })
	return nil
}

// cabled is a connection over a cable; its far end is read and thrown away.
func cabled(tb testing.TB) (client *Conn, path *cable) {
	tb.Helper()
	a, b := newCable()
	block := packet.Block{First: listenPort, Count: 1}
	near, err := New(Config{Conn: a, Ports: clientPorts, TCP: endpointConfig()})
	if err != nil {
		tb.Fatal(err)
	}
	far, err := New(Config{Conn: b, Ports: block, TCP: endpointConfig()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _, _ = near.Close(), far.Close() })
	l, err := far.Listen(anyAddress, tcp.ListenerConfig{})
	if err != nil {
		tb.Fatal(err)
	}
	local, remote := netip.MustParseAddr("192.0.2.1"), netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), listenPort)
	if client, err = near.Dial(context.Background(), local, remote); err != nil {
		tb.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	go func() { _, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, server, make([]byte, 256<<10)) }()
	return client, a
}

// BenchmarkTransfer is what both ends of a connection cost together, without system calls, with super-segments.
func BenchmarkTransfer(b *testing.B) {
	client, path := cabled(b)
	piece := make([]byte, 256<<10)
	b.SetBytes(int64(len(piece)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Write(piece); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(path.sent.Load())/float64(b.N), "packets/op")
}
