//go:build linux

package main

import (
	"context"
	"fmt"

	"hawser/test/netlab/profile"
)

// pairID is the metric of the pairs of links, most of them of a good link and a bad one.
const pairID = "P5"

// Figures beside a pair's ratio, Mbit/s.
const (
	pairBond   = "one stream"
	pairKernel = "kernel MPTCP"
)

// pairs gives a scenario for each pair.
func pairs() (list []scenario) {
	for _, p := range profile.Pairs() {
		list = append(list, scenario{
			name: p.Name, metrics: []string{pairID}, asked: true,
			run: func(ctx context.Context, b *bench) error { return benchPair(ctx, b, p) },
		})
	}
	return list
}

// benchPair measures one stream over two links against the better of them.
func benchPair(ctx context.Context, b *bench, p profile.Profile) error {
	r, err := b.newProfile(ctx, p)
	if err != nil {
		return err
	}
	defer r.close()
	for _, upload := range b.upload {
		if err := pairDirection(ctx, b, r, upload); err != nil {
			return fmt.Errorf("%s: %w", links(p), err)
		}
	}
	return nil
}

func pairDirection(ctx context.Context, b *bench, r *bond, upload bool) error {
	ratio := &row{
		ID: pairID, Scenario: links(r.profile), Direction: direction(upload), Figure: "one stream ÷ the better link alone, steady",
		Reference: "kernel TCP on the better link", ReferenceUnit: "Mbit/s", Must: 0.97, Aim: 1,
	}
	kernel, good := &row{}, r.profile.Best()
	err := b.rounds(ctx, func(ctx context.Context) error {
		each, err := b.alone(ctx, r, upload)
		if err != nil {
			return err
		}
		ours, err := b.bonded(ctx, r, upload, b.duration)
		if err != nil {
			return err
		}
		peer, err := b.kernel(ctx, r, upload, b.duration)
		if err != nil {
			return err
		}
		best := each[0]
		for _, g := range each {
			if g.steady > best.steady {
				best = g
			}
		}
		ratio.noteAlone(each)
		ratio.note(pairBond, "Mbit/s", ours.steady/1e6)
		ratio.note(pairKernel, "Mbit/s", peer.steady/1e6)
		ratio.compare(ours.steady, best.steady, ours.goodput, best)
		kernel.compare(peer.steady, best.steady, peer, best)
		return b.checkReference(good, each[good].steady, r.profile.Links[good])
	}, ratio, kernel)
	if err != nil {
		return err
	}
	ratio.Seconds += kernel.Seconds
	b.relax(ratio, kernel)
	b.add(ratio)
	return nil
}
