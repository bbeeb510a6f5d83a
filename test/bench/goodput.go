//go:build linux

package main

import (
	"context"
	"errors"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"hawser/test/netlab"
	"hawser/test/netlab/kmptcp"
)

// goodput is what a transfer gets, in bit/s.
type goodput struct {
	steady    float64 // after the warm-up
	whole     float64 // the start included, and opening the connection
	saturated bool    // the processors had no time left
}

// add is the goodput of two transfers at the same time.
func (g goodput) add(other goodput) goodput {
	return goodput{g.steady + other.steady, g.whole + other.whole, g.saturated || other.saturated}
}

// measure makes a transfer that takes d, the warm-up included. steady is called when the transfer has warmed up and
// when it ends; nil: nothing is.
func (b *bond) measure(ctx context.Context, dial dialer, upload bool, d time.Duration, steady func() error) (goodput, error) {
	mark, err := netlab.MarkCPU()
	if err != nil {
		return goodput{}, err
	}
	t, err := b.sink.dial(ctx, dial, upload)
	if err != nil {
		return goodput{}, err
	}
	defer t.stop()
	t.record(ctx, warmUp)
	warm := t.last()
	if steady != nil {
		err = steady()
	}
	t.record(ctx, d)
	if steady != nil {
		err = errors.Join(err, steady())
	}
	if err != nil {
		return goodput{}, err
	}
	now, err := netlab.MarkCPU()
	if err != nil {
		return goodput{}, err
	}
	g := goodput{t.last().rate(warm), t.last().rate(sample{}), now.Since(mark).Saturated()}
	return g, ctx.Err()
}

// alone measures kernel TCP on each uplink alone, all at the same time, for they have nothing in common but the
// processors. It takes the bench's duration.
func (b *bench) alone(ctx context.Context, r *bond, upload bool) (each []goodput, err error) {
	each = make([]goodput, len(r.Home.Uplinks))
	r.settle(ctx)
	err = r.asReference(func() error {
		var g errgroup.Group
		for i := range each {
			g.Go(func() (err error) {
				dial := func(ctx context.Context) (net.Conn, error) { return r.direct(ctx, i) }
				each[i], err = r.measure(ctx, dial, upload, b.duration, nil)
				return err
			})
		}
		return g.Wait()
	})
	return each, err
}

// whole is how long a transfer takes whose start counts: 10 s by default, of which 8 s are steady.
func (b *bench) whole() time.Duration { return b.duration + warmUp }

// kernel measures the kernel's MPTCP over all uplinks in a transfer that takes d. That a subflow was missing or one
// fell back is a voidError.
func (b *bench) kernel(ctx context.Context, r *bond, upload bool, d time.Duration) (g goodput, err error) {
	before, err := kmptcp.ReadCounters(r.Home.Client)
	if err != nil {
		return g, err
	}
	r.settle(ctx)
	err = r.asReference(func() error {
		g, err = r.measure(ctx, r.multipath, upload, d, nil)
		return err
	})
	if err != nil {
		return g, err
	}
	after, err := kmptcp.ReadCounters(r.Home.Client)
	if err != nil {
		return g, err
	}
	if err := after.Since(before).Proof(len(r.Home.Uplinks) - 1); err != nil {
		return g, voidError(err.Error())
	}
	return g, nil
}

// bonded is what the product gets.
type bonded struct {
	goodput
	duplicates float64 // bytes received more than once while the transfer was steady, as a share of those delivered
}

// bonded measures the product over all uplinks in a transfer that takes d.
func (b *bench) bonded(ctx context.Context, r *bond, upload bool, d time.Duration) (bonded, error) {
	r.settle(ctx)
	var counts []uint64
	g, err := r.measure(ctx, r.dial, upload, d, func() error {
		n, err := r.duplicates(upload)
		counts = append(counts, n)
		return err
	})
	if err != nil {
		return bonded{}, err
	}
	return bonded{g, float64(counts[1]-counts[0]) / (g.steady / 8 * (d - warmUp).Seconds())}, nil
}

// duplicates is how many bytes the receiving end has received more than once, over all sessions.
func (b *bond) duplicates(upload bool) (sum uint64, err error) {
	status := b.Status
	if upload {
		status = b.ServerStatus
	}
	st, err := status()
	for _, s := range st.Sessions {
		sum += s.Duplicates
	}
	return sum, err
}
