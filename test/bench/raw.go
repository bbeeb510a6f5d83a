//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"hawser/test/netlab"
	"hawser/test/netlab/profile"
)

// What marks the rows of raw TCP, which have tables of their own.
const (
	rawID     = "raw"
	rawCostID = "raw cost"
)

// Figures beside a ratio of raw TCP.
const (
	rawGoodput     = "raw TCP" // Mbit/s
	rawRetransmits = "sent again by rawcat"
)

// rawKind is a kind of link of raw TCP, alike in both directions; without a rate it is not shaped at all.
type rawKind struct {
	profile.Link
	must float64
}

// rawKinds are the links that raw TCP is measured on.
func rawKinds() []rawKind {
	const shaped, unshaped = 0.97, 0.5
	good := profile.New(100*profile.Mbit, 10*time.Millisecond)
	lossy, wandering := good, good
	lossy.Loss = 0.01
	wandering.Jitter, wandering.Reorder = 2*time.Millisecond, 0.01
	return []rawKind{
		{profile.New(50*profile.Mbit, 10*time.Millisecond), shaped}, {good, shaped}, {lossy, shaped}, {wandering, shaped},
		{profile.Link{}, unshaped},
	}
}

// String describes the link.
func (k rawKind) String() string {
	switch {
	case k.Rate == 0:
		return "unshaped"
	case k.Reorder > 0:
		return fmt.Sprintf("%s reorder %g", k.Link, k.Reorder*100)
	}
	return k.Link.String()
}

// config is what a lab needs for it.
func (k rawKind) config() netlab.LinkConfig {
	return netlab.Uplinks(profile.Profile{Links: []profile.Link{k.Link}})[0]
}

// effort is how many such links are used at the same time, one connection on each, and how long: more where loss decides
// what a connection gets, for in the time of an ordinary measurement there is too little of it to tell two stacks apart.
func (b *bench) effort(k rawKind) (lanes int, d time.Duration) {
	if k.Loss > 0 && b.congestion != "bbr" {
		return 6, 2 * b.duration
	}
	return 1, b.duration
}

// rawScenarios gives a scenario for each kind of link.
func rawScenarios() (list []scenario) {
	for i, k := range rawKinds() {
		list = append(list, scenario{
			name: fmt.Sprintf("raw.%d", i+1), metrics: []string{rawID}, asked: true,
			run: func(ctx context.Context, b *bench) error { return benchRaw(ctx, b, k) },
		})
	}
	return append(list, scenario{name: "raw.cost", metrics: []string{rawID}, asked: true, run: benchRawCost})
}

// rawDirection names a direction by what rawcat does.
func rawDirection(sends bool) string {
	if sends {
		return "raw sends"
	}
	return "raw receives"
}

// benchRaw measures one connection of the project's own TCP with kernel TCP as its other end, against kernel TCP at both
// ends, in both directions over a link.
func benchRaw(ctx context.Context, b *bench, kind rawKind) error {
	lanes, d := b.effort(kind)
	r, err := b.newRawLab(kind.config(), lanes)
	if err != nil {
		return err
	}
	defer r.close()
	for _, sends := range b.upload {
		if err := b.rawDirection(ctx, r, kind, sends, d); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

func (b *bench) rawDirection(ctx context.Context, r *rawLab, kind rawKind, sends bool, d time.Duration) error {
	line := &row{
		ID: rawID, Scenario: kind.String(), Direction: rawDirection(sends), Figure: "raw TCP ÷ kernel TCP, steady",
		Must: kind.must, Reference: "kernel TCP at both ends", ReferenceUnit: "Mbit/s",
	}
	if n := len(r.lanes); n > 1 {
		line.Figure = fmt.Sprintf("raw TCP ÷ kernel TCP, steady, on each of %d links, added", n)
	}
	err := b.rounds(ctx, func(ctx context.Context) error {
		r.settle(ctx, kind.Link)
		kernel, err := r.measure(ctx, kernelConn, sends, d)
		if err != nil {
			return err
		}
		r.settle(ctx, kind.Link)
		var said rawcatReport
		raw, err := r.measure(ctx, rawcatConn(&said), sends, d)
		if err != nil {
			return err
		}
		if kind.Rate == 0 { // it is limited by processors and nothing else
			raw.saturated, kernel.saturated = false, false
		}
		line.note(rawGoodput, "Mbit/s", raw.steady/1e6)
		line.note(rawRetransmits, "", float64(said.retransmits))
		line.compare(raw.steady, kernel.steady, raw.goodput, kernel.goodput)
		return b.checkReference(0, kernel.steady/float64(len(r.lanes)), kind.Link)
	}, line)
	if err != nil {
		return err
	}
	b.add(line)
	return nil
}
