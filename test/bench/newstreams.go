//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"hawser/test/netlab"
)

// peerMux is how many streams share a connection of xray-core when its multiplexing is on: of 8, 32 and 128 the value
// with which it opens most streams.
const peerMux = 32

// benchNewStreams measures new streams per second, each with one small exchange, against the same through xray-core:
// with a connection for each stream, as one stream is measured against it too and as it is by default, and beside that
// with its multiplexing.
func benchNewStreams(ctx context.Context, b *bench) error {
	r, err := b.newBond(ctx, []netlab.LinkConfig{{}, {}})
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.reusePorts(); err != nil {
		return err
	}
	ours := contender{dial: r.dial, programs: []*netlab.Cmd{r.Client, r.Server}}
	single, err := r.startPeer(ctx, 0)
	if err != nil {
		return err
	}
	defer single.Close()
	muxed, err := r.startPeer(ctx, peerMux)
	if err != nil {
		return err
	}
	defer muxed.Close()
	theirs := [2]contender{
		{dial: r.through(single), programs: []*netlab.Cmd{single.Client, single.Server}},
		{dial: r.through(muxed), programs: []*netlab.Cmd{muxed.Client, muxed.Server}},
	}
	line := func(must, aim float64, figure, reference, unit string) *row {
		return &row{ID: "P15", Scenario: "unshaped links", Figure: figure, Must: must, Aim: aim, Reference: reference, ReferenceUnit: unit}
	}
	apart := line(2, 4, "new streams per second, each with one small exchange ÷ xray-core", "xray-core", "/s")
	shared := line(0, 0, fmt.Sprintf("the same ÷ xray-core with its mux, %d streams a connection", peerMux), "xray-core", "/s")
	cost := line(0, 0, "processor time of a new stream, client and server together", "xray-core with its mux", "µs")
	cost.Unit = "µs"
	err = b.rounds(ctx, func(ctx context.Context) error {
		own, err := ours.open(ctx)
		if err != nil {
			return err
		}
		var other [2]opened
		for i := range theirs {
			if other[i], err = theirs[i].open(ctx); err != nil {
				return fmt.Errorf("xray-core: %w", err)
			}
		}
		for _, c := range []struct {
			line          *row
			value, theirs float64
		}{
			{apart, own.perSecond / other[0].perSecond, other[0].perSecond},
			{shared, own.perSecond / other[1].perSecond, other[1].perSecond},
			{cost, own.cost, other[1].cost},
		} {
			c.line.Values = append(c.line.Values, c.value)
			c.line.ReferenceValues = append(c.line.ReferenceValues, c.theirs)
		}
		return nil
	}, apart, shared, cost)
	if err != nil {
		return err
	}
	b.add(apart, shared, cost)
	return nil
}

// contender opens streams through a pair of programs.
type contender struct {
	dial     dialer
	programs []*netlab.Cmd
}

// opened is what a contender has achieved.
type opened struct {
	perSecond float64
	cost      float64 // processor time of the programs for each, µs
}

// openers is how many applications open streams at once, and openFor for how long.
const (
	openers = 32
	openFor = 3 * time.Second
)

// open opens streams, one small exchange on each, for three seconds.
func (c contender) open(ctx context.Context) (o opened, err error) {
	before, err := cpuTime(c.programs...)
	if err != nil {
		return o, err
	}
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	begin := time.Now()
	for range openers {
		wg.Go(func() {
			for time.Since(begin) < openFor && ctx.Err() == nil && failed.Load() == nil {
				if err := fetch(ctx, c.dial, exchangeSize); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	if e := failed.Load(); e != nil {
		return o, *e
	}
	after, err := cpuTime(c.programs...)
	if err != nil {
		return o, err
	}
	n := float64(done.Load())
	return opened{n / took.Seconds(), float64((after - before).Microseconds()) / n}, ctx.Err()
}

// exchangeSize is the length of the answer of a small exchange.
const exchangeSize = 2000
