//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"hawser/test/netlab"
	"hawser/test/netlab/profile"
)

// kernelTrials is how many cuts at most are made through the kernel's MPTCP.
const kernelTrials = 6

// outage is a way to lose an uplink.
type outage struct {
	id, name string
	hold     time.Duration // for which the uplink is gone
	extra    time.Duration // at most so much longer, at random
	apply    func(l *netlab.Link, trial int, gone bool)
	bounds   []quantileBound
}

// quantileBound is what a quantile of the gaps must be and is aimed at, in ms.
type quantileBound struct{ quantile, must, aim float64 }

// blackHole loses everything silently, in one direction or both, in turn. The interface stays up.
var blackHole = outage{
	id: "P7", name: "black hole", hold: 1500 * time.Millisecond, extra: 500 * time.Millisecond,
	apply: func(l *netlab.Link, trial int, gone bool) {
		hole := []netlab.Direction{netlab.Both, netlab.AToB, netlab.BToA}[trial%3]
		l.BlackHole(hole, gone)
	},
	bounds: []quantileBound{{0.5, 250, 150}, {0.95, 400, 250}},
}

// interfaceDown takes the client's interface down.
var interfaceDown = outage{
	id: "P8", name: "interface down", hold: 500 * time.Millisecond,
	apply: func(l *netlab.Link, _ int, gone bool) {
		if gone {
			l.Down(netlab.SideA)
		} else {
			l.Up(netlab.SideA)
		}
	},
	bounds: []quantileBound{{0.95, 120, 0}}, // aim: see boundsOn
}

// boundsOn completes the bounds for links: the aim of an interface that goes down is the longest round trip and 20 ms.
func (o outage) boundsOn(p profile.Profile) []quantileBound {
	list := append([]quantileBound(nil), o.bounds...)
	for i := range list {
		for _, l := range p.Links {
			if o.bounds[i].aim == 0 {
				list[i].aim = max(list[i].aim, float64((l.RTT() + 20*time.Millisecond).Milliseconds()))
			}
		}
	}
	return list
}

// benchOutage makes the scenario of a kind of outage, on the links of P1 and of P2.
func benchOutage(o outage) func(ctx context.Context, b *bench) error {
	return func(ctx context.Context, b *bench) error {
		for _, p := range []profile.Profile{profile.TwoEqual(), profile.CableLTE()} {
			if err := o.run(ctx, b, p); err != nil {
				return fmt.Errorf("%s: %w", links(p), err)
			}
		}
		return nil
	}
}

func (o outage) run(ctx context.Context, b *bench, p profile.Profile) error {
	r, err := b.newProfile(ctx, p)
	if err != nil {
		return err
	}
	defer r.close()
	for _, upload := range b.upload {
		f := &failover{outage: o, bond: r, upload: upload, random: rand.New(rand.NewPCG(1, 1)), trials: b.trials}
		if err := f.run(ctx); err != nil {
			return err
		}
		b.add(f.rows()...)
	}
	if b.plots == "" || o.id != blackHole.id {
		return nil
	}
	return plotFailover(ctx, b, r)
}

// failover is the trials of one outage on one set of links in one direction.
type failover struct {
	outage
	bond    *bond
	upload  bool
	random  *rand.Rand
	trials  int
	gaps    []float64 // ms
	returns []float64 // s
	shares  []float64 // of the uplink before the cut, of what its rate would give it
	kernel  []float64 // gaps of the kernel's MPTCP, ms
	seconds float64
}

func (f *failover) run(ctx context.Context) error {
	begin := time.Now()
	t, err := f.bond.sink.dial(ctx, f.bond.dial, f.upload)
	if err != nil {
		return err
	}
	pause(ctx, warmUp)
	for i := range f.trials {
		f.trial(ctx, t, i)
	}
	t.stop()
	for i := range min(f.trials, kernelTrials) {
		if err := f.kernelTrial(ctx, i); err != nil {
			return err
		}
	}
	f.seconds = time.Since(begin).Seconds()
	if err := ctx.Err(); err != nil {
		return err
	}
	return f.bond.Lab.Err()
}

// cut takes an uplink away and gives it back, in a trial's turn, and returns the longest time without progress.
func (f *failover) cut(ctx context.Context, t *transfer, trial int) (l *netlab.Link, gap time.Duration) {
	uplinks := f.bond.Home.Uplinks
	l = uplinks[trial%len(uplinks)]
	hold := f.hold
	if f.extra > 0 {
		hold += time.Duration(f.random.Int64N(int64(f.extra)))
	}
	turn := trial / len(uplinks)
	f.apply(l, turn, true)
	gap = t.largestGap(ctx, hold)
	f.apply(l, turn, false)
	return l, gap
}

// phase waits for a second, and for a random time under half a second.
func (f *failover) phase(ctx context.Context) {
	pause(ctx, time.Second+time.Duration(f.random.Int64N(int64(500*time.Millisecond))))
}

// enough is how many bytes a link has to carry again to count as back.
const enough = 200_000

func (f *failover) trial(ctx context.Context, t *transfer, i int) {
	dir := netlab.BToA
	if f.upload {
		dir = netlab.AToB
	}
	f.phase(ctx)
	share := f.share(i%len(f.bond.Home.Uplinks), dir)
	l, gap := f.cut(ctx, t, i)
	back, before := time.Now(), l.Bytes(dir)
	for l.Bytes(dir) < before+enough && time.Since(back) < 10*time.Second && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	f.shares = append(f.shares, share)
	f.gaps = append(f.gaps, float64(gap.Microseconds())/1e3)
	f.returns = append(f.returns, time.Since(back).Seconds())
	fmt.Fprintf(os.Stderr, "  %s %s: link %d: share %.2f, gap %v, back after %v\n", f.name, direction(f.upload),
		i%len(f.bond.Home.Uplinks)+1, share, gap.Round(time.Millisecond), time.Since(back).Round(time.Millisecond))
}

// share is what an uplink has carried in the last second, of what its rate would give it.
func (f *failover) share(uplink int, dir netlab.Direction) float64 {
	now := time.Now()
	var all int64
	for _, l := range f.bond.Home.Uplinks {
		all += l.BytesBetween(dir, now.Add(-time.Second), now)
	}
	got := float64(f.bond.Home.Uplinks[uplink].BytesBetween(dir, now.Add(-time.Second), now)) / float64(all)
	return got / (float64(f.bond.profile.Links[uplink].Rate) / float64(f.bond.profile.Rate()))
}

// kernelTrial is a trial with the kernel's MPTCP, in a connection of its own.
func (f *failover) kernelTrial(ctx context.Context, i int) error {
	f.bond.settle(ctx)
	return f.bond.asReference(func() error {
		t, err := f.bond.sink.dial(ctx, f.bond.multipath, f.upload)
		if err != nil {
			return err
		}
		defer t.stop()
		pause(ctx, warmUp/2)
		f.phase(ctx)
		_, gap := f.cut(ctx, t, i)
		f.kernel = append(f.kernel, float64(gap.Microseconds())/1e3)
		fmt.Fprintf(os.Stderr, "  %s %s, kernel MPTCP: gap %v\n", f.name, direction(f.upload), gap.Round(time.Millisecond))
		return nil
	})
}

// rows are the figures of the trials.
func (f *failover) rows() (rows []*row) {
	for _, q := range f.boundsOn(f.bond.profile) {
		rows = append(rows, &row{
			ID: f.id, Figure: fmt.Sprintf("largest gap, p%.0f of %d", q.quantile*100, len(f.gaps)), Unit: "ms", Values: f.gaps,
			Quantile: q.quantile, Must: q.must, Aim: q.aim, AtMost: true,
			Reference: fmt.Sprintf("kernel MPTCP, %d cuts", len(f.kernel)), ReferenceUnit: "ms", ReferenceValues: f.kernel,
		})
	}
	rows = append(rows,
		&row{
			Figure: "return of the uplink, slowest", Unit: "s", Values: f.returns, Quantile: 1, Must: 3, AtMost: true,
			Reference: "until it has carried 200 kB",
		},
		&row{
			Figure: "share of the uplink before, smallest", Values: f.shares, Quantile: 0.01, Must: 0.6,
			Reference: "bytes of the last second, of what its rate would give it",
		})
	for _, r := range rows {
		r.Scenario, r.Direction = links(f.bond.profile)+", "+f.name, direction(f.upload)
		r.Seconds = f.seconds / float64(len(rows))
	}
	return rows
}
