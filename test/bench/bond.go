//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"hawser/test/netlab"
	"hawser/test/netlab/profile"
)

// warmUp is how long a transfer takes to become steady.
const warmUp = 2 * time.Second

func direction(upload bool) string {
	if upload {
		return "up"
	}
	return "down"
}

// links describes a profile's links.
func links(p profile.Profile) string {
	_, text, _ := strings.Cut(p.String(), ": ")
	return text
}

// aggregation measures one stream over the links of a profile against kernel TCP on each link alone and against the
// kernel's MPTCP.
type aggregation struct {
	id        string // of the metric
	profile   profile.Profile
	must, aim float64 // of the ratio to the sum
	steady    bool    // the duplicates count as P17
}

// aggregations are the metrics P1 to P4, with P6 and P17.
var aggregations = []aggregation{
	{"P1", profile.TwoEqual(), 0.95, 0.98, true},
	{"P2", profile.CableLTE(), 0.94, 0.98, true},
	{"P3", profile.TwoEqualOneLossy(), 0.90, 0.97, false},
	{"P3", profile.ThreeJittery(), 0.90, 0.97, false},
	{"P4", profile.FastSlow(), 0.90, 0.97, false},
}

// benchAggregation makes the scenario of one metric of P1 to P4.
func benchAggregation(id string) func(ctx context.Context, b *bench) error {
	return func(ctx context.Context, b *bench) error {
		for _, a := range aggregations {
			if a.id != id {
				continue
			}
			if err := a.run(ctx, b); err != nil {
				return fmt.Errorf("%s: %w", links(a.profile), err)
			}
		}
		return nil
	}
}

func (a aggregation) run(ctx context.Context, b *bench) error {
	r, err := b.newProfile(ctx, a.profile)
	if err != nil {
		return err
	}
	defer r.close()
	for _, upload := range b.upload {
		if err := a.direction(ctx, b, r, upload); err != nil {
			return err
		}
	}
	return nil
}

// direction measures one direction: sum, bond, kernel MPTCP, and again.
func (a aggregation) direction(ctx context.Context, b *bench, r *bond, upload bool) error {
	figure := func(id, figure, reference string) *row {
		return &row{
			ID: id, Scenario: links(a.profile), Direction: direction(upload), Figure: figure,
			Reference: reference, ReferenceUnit: "Mbit/s",
		}
	}
	sum := figure(a.id, "one stream ÷ sum of the links, steady", "kernel TCP on each link alone, added")
	sum.Must, sum.Aim = a.must, a.aim
	peer := figure("", "kernel MPTCP ÷ sum of the links, steady", sum.Reference)
	whole := figure("P6", fmt.Sprintf("one stream ÷ kernel MPTCP, first %.0f s", b.whole().Seconds()), "kernel MPTCP")
	whole.Must, whole.Aim = 1, 1.05
	again := figure("P17", "bytes received twice ÷ delivered, steady", "")
	again.Must, again.Aim, again.AtMost = 0.03, 0.01, true
	rows := []*row{sum, peer, whole}
	if a.steady {
		rows = append(rows, again)
	}
	err := b.rounds(ctx, func(ctx context.Context) error {
		each, err := b.alone(ctx, r, upload)
		if err != nil {
			return err
		}
		ours, err := b.bonded(ctx, r, upload, b.whole())
		if err != nil {
			return err
		}
		kernel, err := b.kernel(ctx, r, upload, b.whole())
		if err != nil {
			return err
		}
		var all goodput
		for _, g := range each {
			all = all.add(g)
		}
		sum.noteAlone(each)
		sum.compare(ours.steady, all.steady, ours.goodput, all)
		peer.compare(kernel.steady, all.steady, kernel, all)
		whole.compare(ours.whole, kernel.whole, ours.goodput, kernel)
		again.Values = append(again.Values, ours.duplicates)
		for i, l := range a.profile.Links {
			if err := b.checkReference(i, each[i].steady, l); err != nil {
				return err
			}
		}
		return nil
	}, rows...)
	if err != nil {
		return err
	}
	b.relax(sum, peer)
	b.add(rows...)
	return nil
}

// compare adds the ratio of two goodputs in bit/s, which come from two measurements.
func (r *row) compare(value, reference float64, of, against goodput) {
	r.Values = append(r.Values, value/reference)
	r.ReferenceValues = append(r.ReferenceValues, reference/1e6)
	r.Saturated = r.Saturated || of.saturated || against.saturated
}

// linkAlone names the figure of kernel TCP on one link.
func linkAlone(i int) string { return fmt.Sprintf("link %d alone", i+1) }

// noteAlone keeps what kernel TCP got on each link.
func (r *row) noteAlone(each []goodput) {
	for i, g := range each {
		r.note(linkAlone(i), "Mbit/s", g.steady/1e6)
	}
}

// relax drops what a row must be, and its aim, where a congestion control other than bbr runs and the kernel's MPTCP
// does not reach it either.
func (b *bench) relax(r, kernel *row) {
	if b.congestion != "bbr" && kernel.Value() < r.Must {
		r.Must, r.Aim = 0, 0
	}
}

// benchUnshaped measures one stream over links without any shaping: what the programs cost.
func benchUnshaped(ctx context.Context, b *bench) error {
	r, err := b.newBond(ctx, []netlab.LinkConfig{{}, {}})
	if err != nil {
		return err
	}
	defer r.close()
	tcp := func(ctx context.Context) (net.Conn, error) { return r.direct(ctx, 0) }
	for _, upload := range b.upload {
		line := &row{
			Scenario: "unshaped links", Direction: direction(upload), Figure: "one stream", Unit: "Gbit/s",
			Reference: "kernel TCP directly", ReferenceUnit: "Gbit/s",
		}
		err := b.rounds(ctx, func(ctx context.Context) error {
			reference, err := r.measure(ctx, tcp, upload, warmUp+2*time.Second, nil)
			if err != nil {
				return err
			}
			ours, err := r.measure(ctx, r.dial, upload, warmUp+4*time.Second, nil)
			line.Values = append(line.Values, ours.steady/1e9)
			line.ReferenceValues = append(line.ReferenceValues, reference.steady/1e9)
			return err
		}, line)
		if err != nil {
			return err
		}
		b.add(line)
	}
	return nil
}
