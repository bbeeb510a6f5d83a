//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"hawser/test/netlab"
	"hawser/test/netlab/kmptcp"
	"hawser/test/netlab/profile"
)

// benchLoaded measures small requests while downloads fill every uplink against the same requests by kernel TCP over
// the best uplink when nothing else is sent, and beside them what kernel MPTCP makes of the same load.
func benchLoaded(ctx context.Context, b *bench) error {
	for _, p := range []profile.Profile{profile.TwoEqual(), profile.CableLTE()} {
		r, err := b.newProfile(ctx, p)
		if err != nil {
			return err
		}
		l := loaded{bond: r}
		err = l.run(ctx, b)
		l.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// loaded is small requests on the links of one profile.
type loaded struct {
	*bond
	responder net.Listener
}

func (l *loaded) close() {
	if l.responder != nil {
		_ = l.responder.Close()
	}
	l.bond.close()
}

func (l *loaded) run(ctx context.Context, b *bench) (err error) {
	addr := netip.AddrPortFrom(l.Addr, 9002).String()
	if l.responder, err = kmptcp.Listen(l.Home.Server, addr); err != nil {
		return err
	}
	go respond(l.responder)
	for _, bulk := range []int{1, 20} {
		if err := l.under(ctx, b, bulk); err != nil {
			return err
		}
	}
	return nil
}

// idleFor is how long the requests without load are made: they differ little.
const idleFor = 3 * time.Second

// under measures with so many downloads at once.
func (l *loaded) under(ctx context.Context, b *bench, bulk int) error {
	f := newLoadedFigures(links(l.profile), bulk)
	err := b.rounds(ctx, func(ctx context.Context) error {
		l.settle(ctx)
		idle, err := probe(ctx, l.directly, idleFor)
		if err != nil {
			return err
		}
		ours, err := l.load(ctx, b, bulk, l.dial, l.proxied, b.checkSaturated)
		if err != nil {
			return err
		}
		l.settle(ctx)
		var kernel *latencies
		err = l.asReference(func() error {
			kernel, err = l.load(ctx, b, bulk, l.multipath, l.multipathed, nil)
			return err
		})
		if err != nil {
			return err
		}
		f.take(idle, ours, kernel)
		return nil
	}, f.rows()...)
	if err != nil {
		return err
	}
	b.add(f.rows()...)
	return f.plot(b, l.profile.Name)
}

// load makes requests while so many downloads run, after these have warmed up.
func (l *loaded) load(ctx context.Context, b *bench, bulk int, download, ask dialer, check func(*bond, time.Time) error) (*latencies, error) {
	var running []*transfer
	defer func() {
		for _, t := range running {
			t.stop()
		}
	}()
	for range bulk {
		t, err := l.sink.dial(ctx, download, false)
		if err != nil {
			return nil, err
		}
		running = append(running, t)
	}
	pause(ctx, warmUp)
	mark, err := netlab.MarkCPU()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	found, err := probe(ctx, ask, b.duration)
	if err != nil {
		return nil, err
	}
	now, err := netlab.MarkCPU()
	if err != nil {
		return nil, err
	}
	if now.Since(mark).Saturated() {
		return nil, voidError("the processors were saturated")
	}
	if check != nil {
		return found, check(l.bond, begin)
	}
	return found, nil
}

// full is the share of its rate that an uplink carries at least when a download fills it.
const full = 0.8

// checkSaturated voids a repetition whose downloads did not fill every uplink since begin. A lossy link cannot be
// filled by a congestion control that takes loss for congestion.
func (b *bench) checkSaturated(r *bond, begin time.Time) error {
	now := time.Now()
	for i, l := range r.profile.Links {
		got := float64(r.Home.Uplinks[i].BytesBetween(netlab.BToA, begin, now)) * 8 / now.Sub(begin).Seconds()
		if got < full*float64(l.Rate) && (l.Loss == 0 || b.congestion == "bbr") {
			return voidError(fmt.Sprintf("link %d carried %s of %s Mbit/s", i+1, number(got/1e6), number(float64(l.Rate)/1e6)))
		}
	}
	return nil
}

// directly, proxied and multipathed open connections to the responder: by kernel TCP over the best uplink, through the
// pair, and by kernel MPTCP.
func (l *loaded) directly(ctx context.Context) (conn net.Conn, err error) {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(l.best(), 0))}
	d.SetMultipathTCP(false)
	err = l.Home.Client.Do(func() error {
		conn, err = d.DialContext(ctx, "tcp", l.responder.Addr().String())
		return err
	})
	return conn, err
}

func (l *loaded) proxied(ctx context.Context) (net.Conn, error) {
	return l.Dial(ctx, l.responder.Addr().String())
}

func (l *loaded) multipathed(ctx context.Context) (net.Conn, error) {
	return kmptcp.Dial(ctx, l.Home.Client, l.best(), l.responder.Addr().String())
}

// best is the client's address on the best uplink.
func (l *loaded) best() netip.Addr { return l.Home.Uplinks[l.profile.Best()].Addr(netlab.SideA) }
