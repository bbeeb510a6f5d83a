package mptcp

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawser/transport"
	"hawser/transport/plain"
	"hawser/transport/plain/plaintest"
	"hawser/transport/uplink"
)

// simulation is a client and a server over emulated links, in virtual time.
type simulation struct {
	t      *testing.T
	net    *plaintest.Network
	links  []*plaintest.Link
	source *liveSource
	dialer Dialer
	ln     *Listener
	events []Notice
	mu     sync.Mutex
}

// conditions are what a simulation runs under. The zero value has no links.
type conditions struct {
	links      []plaintest.LinkConfig // named "a", "b", …
	congestion string                 // of the carriers; empty: bbr
	scheduler  string                 // empty: auto
	off        features
	seed       uint64
	prepare    func(*simulation) // the links, before the first connection; nil: they are as configured
}

// simulate runs f in a bubble of virtual time.
func simulate(t *testing.T, off features, links []plaintest.LinkConfig, f func(s *simulation)) {
	t.Helper()
	simulateUnder(t, conditions{links: links, off: off, seed: 1}, f)
}

func simulateUnder(t *testing.T, c conditions, f func(s *simulation)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &simulation{
			t: t, net: plaintest.New(plaintest.Config{Seed: c.seed, Congestion: c.congestion}), source: &liveSource{},
		}
		for i, c := range c.links {
			name := string(rune('a' + i))
			s.links = append(s.links, s.net.AddLink(name, c))
			s.source.paths = append(s.source.paths, transport.Path{
				Uplink: name, ID: uint8(i + 1), Remote: plaintest.Server, Carrier: "plain",
				Local: netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}),
			})
		}
		if c.prepare != nil {
			c.prepare(s)
		}
		acceptor := s.net.Acceptor(plain.Config{})
		server := Config{Board: uplink.NewBoard(), Scheduler: c.scheduler, off: c.off}
		ln, err := Listen(server, acceptor, net.TCPAddrFromAddrPort(plaintest.Server), "plain")
		if err != nil {
			t.Fatal(err)
		}
		client := Config{Board: uplink.NewBoard(), Scheduler: c.scheduler, off: c.off, Observe: s.observe}
		s.ln, s.dialer = ln, Dialer{Config: client, Carrier: s.net.Carrier(), Paths: s.source}
		f(s)
		_ = ln.Close()
		time.Sleep(30 * time.Second) // sockets linger for the last word to arrive
	})
}

func (s *simulation) observe(n Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, n)
}

// pair opens an authenticated connection and waits until every link is joined.
func (s *simulation) pair() (client, server *Conn) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := s.dialer.Dial(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	if server, err = s.ln.Accept(); err != nil {
		s.t.Fatal(err)
	}
	authenticate(client, server)
	time.Sleep(2 * time.Second)
	return client, server
}

// authenticate makes two ends a session, as TLS, hello and welcome do.
func authenticate(client, server *Conn) {
	client.Bind([]byte("secret"), false)
	server.Bind([]byte("secret"), false)
	_ = server.Authenticate("client", client.InitialID(), time.Minute)
	_ = client.Authenticate("", 0, time.Minute)
}

// stop ends both ends of a connection.
func stop(conns ...*Conn) {
	for _, c := range conns {
		c.Abort()
	}
	for _, c := range conns {
		<-c.Done()
	}
}

// delivery is what a bulk transfer looked like at the receiver.
type delivery struct {
	mu     sync.Mutex
	total  int
	last   time.Time
	gap    time.Duration // largest time between two arrivals since the last reset
	gapEnd time.Time
}

// bulk sends from a to b until either ends.
func bulk(a, b *Conn) *delivery {
	d := &delivery{last: time.Now()}
	go func() {
		buf := make([]byte, 16<<10)
		for {
			if _, err := a.Write(buf); err != nil {
				return
			}
		}
	}()
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := b.Read(buf)
			if err != nil {
				return
			}
			d.add(n)
		}
	}()
	return d
}

func (d *delivery) add(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if gap := now.Sub(d.last); gap > d.gap {
		d.gap, d.gapEnd = gap, now
	}
	d.total, d.last = d.total+n, now
}

// over tells the goodput in bit/s and the largest gap during the time given, from now.
func (d *delivery) over(t time.Duration) (bps float64, gap time.Duration) {
	d.mu.Lock()
	d.gap, d.last = 0, time.Now()
	from := d.total
	d.mu.Unlock()
	time.Sleep(t)
	d.mu.Lock()
	defer d.mu.Unlock()
	return float64(d.total-from) * 8 / t.Seconds(), max(d.gap, time.Since(d.last))
}

// equal is two links of 20 Mbit/s and 10 ms.
func equal() []plaintest.LinkConfig {
	l := plaintest.LinkConfig{Rate: 20e6, Delay: 10 * time.Millisecond}
	return []plaintest.LinkConfig{l, l}
}

func TestBondGivesTheSumOfItsLinks(t *testing.T) {
	for _, c := range []struct {
		name  string
		links []plaintest.LinkConfig
		want  float64 // share of the sum
	}{
		{"equal", equal(), 0.93},
		{"dsl and lte", []plaintest.LinkConfig{
			{Rate: 40e6, Delay: 8 * time.Millisecond}, {Rate: 12e6, Delay: 30 * time.Millisecond, Loss: 0.001}}, 0.90},
		{"far apart", []plaintest.LinkConfig{
			{Rate: 60e6, Delay: 5 * time.Millisecond}, {Rate: 6e6, Delay: 100 * time.Millisecond}}, 0.90},
		{"one with loss", []plaintest.LinkConfig{
			{Rate: 20e6, Delay: 10 * time.Millisecond}, {Rate: 20e6, Delay: 10 * time.Millisecond, Loss: 0.01}}, 0.80},
	} {
		for _, dir := range []string{"up", "down"} {
			t.Run(c.name+" "+dir, func(t *testing.T) {
				simulate(t, features{}, c.links, func(s *simulation) {
					a, b := s.pair()
					defer stop(a, b)
					if dir == "down" {
						a, b = b, a
					}
					d := bulk(a, b)
					time.Sleep(4 * time.Second)
					bps, gap := d.over(3 * time.Second)
					sum := 0.0
					for _, l := range c.links {
						sum += float64(l.Rate)
					}
					share := bps / sum / payloadShare
					t.Logf("%.1f Mbit/s, %.3f of the sum, largest gap %v, %+v", bps/1e6, share, gap, a.Stats().Subflows)
					if share < c.want {
						t.Errorf("%.3f of the sum, want at least %.2f", share, c.want)
					}
				})
			})
		}
	}
}

// payloadShare is what of a link's rate is TCP payload: 1448 of 1514 bytes of a frame.
const payloadShare = 1448.0 / 1514
