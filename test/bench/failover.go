//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"hawser/test/netlab"
)

// benchFailover turns links into black holes in mid-transfer, at random phases: each link, each direction and both.
func benchFailover(ctx context.Context, b *bench) error {
	r, err := newBond(ctx, b.bin, twoEqual())
	if err != nil {
		return err
	}
	defer r.close()
	for _, upload := range []bool{false, true} {
		f := failover{bond: r, upload: upload}
		if err := f.run(ctx); err != nil {
			return err
		}
		name := "black holes, " + direction(upload)
		b.rows = append(b.rows,
			row{Scenario: name, Figure: "largest gap, p95 of 20", Unit: "ms", Values: []float64{quantile(f.gaps, 0.95)},
				Bound: 500, AtMost: true, Reference: fmt.Sprintf("p50 %s ms", number(quantile(f.gaps, 0.5)))},
			row{Scenario: name, Figure: "return of the link, slowest of 20", Unit: "s", Values: []float64{quantile(f.returns, 1)},
				Bound: 3, AtMost: true, Reference: fmt.Sprintf("p50 %s s", number(quantile(f.returns, 0.5)))},
			row{Scenario: name, Figure: "share of the cut link before, smallest", Values: []float64{quantile(f.shares, 0)},
				Bound: 0.3, Reference: "bytes of the 2 s before the cut"})
	}
	return nil
}

// failover is twenty trials in one direction.
type failover struct {
	bond    *bond
	upload  bool
	gaps    []float64 // ms
	returns []float64 // s
	shares  []float64
}

// trials is how many cuts are made.
const trials = 20

func (f *failover) run(ctx context.Context) error {
	c, err := f.bond.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	t, err := startTransfer(c, f.upload)
	if err != nil {
		return err
	}
	dir := netlab.BToA
	if f.upload {
		dir = netlab.AToB
	}
	random := rand.New(rand.NewPCG(1, 1))
	pause(ctx, warmUp)
	for i := range trials {
		f.trial(ctx, t, i, dir, random)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (f *failover) trial(ctx context.Context, t *transfer, i int, dir netlab.Direction, random *rand.Rand) {
	links := f.bond.Home.Uplinks
	cut := links[i%len(links)]
	hole := []netlab.Direction{netlab.AToB, netlab.BToA, netlab.Both}[i/2%3]
	pause(ctx, 2*time.Second+time.Duration(random.Int64N(int64(500*time.Millisecond))))
	now := time.Now()
	var all int64
	for _, l := range links {
		all += l.BytesBetween(dir, now.Add(-2*time.Second), now)
	}
	share := float64(cut.BytesBetween(dir, now.Add(-2*time.Second), now)) / float64(all)
	cut.BlackHole(hole, true)
	gap := t.largestGap(ctx, 1500*time.Millisecond+time.Duration(random.Int64N(int64(5*time.Second))))
	cut.BlackHole(hole, false)
	back := time.Now()
	before := cut.Bytes(dir)
	for cut.Bytes(dir) < before+200_000 && time.Since(back) < 10*time.Second && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	f.shares = append(f.shares, share)
	f.gaps = append(f.gaps, float64(gap.Microseconds())/1e3)
	f.returns = append(f.returns, time.Since(back).Seconds())
	fmt.Fprintf(os.Stderr, "  %s: link %d, direction %v: share %.2f, gap %v, back after %v\n",
		direction(f.upload), i%len(links), hole, share, gap.Round(time.Millisecond), time.Since(back).Round(time.Millisecond))
}
