//go:build linux

package main

import (
	"context"
	"strings"
	"time"

	"hawser/test/netlab"
)

// When the uplink of the plot goes, when it comes back, and when the plot ends.
const (
	plotCut  = 4 * time.Second
	plotBack = 7 * time.Second
	plotEnd  = 10 * time.Second
)

// plotFailover draws the goodput of downloads, of the product and of the kernel's MPTCP, while the best uplink is a black
// hole.
func plotFailover(ctx context.Context, b *bench, r *bond) error {
	d := drawing{
		title: "Download over " + links(r.profile) + ": the best uplink loses everything",
		x:     "time, s", y: "goodput, Mbit/s",
		top:   1.5 * float64(r.profile.Rate()) / 1e6, // a hole that closes sets free more than the links carry
		marks: []float64{plotCut.Seconds(), plotBack.Seconds()},
	}
	best := r.Home.Uplinks[r.profile.Best()]
	watch := func(name string, dial dialer) error {
		r.settle(ctx)
		t, err := r.sink.dial(ctx, dial, false)
		if err != nil {
			return err
		}
		defer t.stop()
		t.record(ctx, plotCut)
		best.BlackHole(netlab.Both, true)
		t.record(ctx, plotBack)
		best.BlackHole(netlab.Both, false)
		t.record(ctx, plotEnd)
		d.curves = append(d.curves, goodputCurve(name, t.series))
		return ctx.Err()
	}
	if err := watch("Hawser", r.dial); err != nil {
		return err
	}
	if err := r.asReference(func() error { return watch("kernel MPTCP", r.multipath) }); err != nil {
		return err
	}
	return d.save(b.plots, "failover-"+strings.ToLower(r.profile.Name)+"-"+b.congestion)
}
