//go:build linux

package main

import "fmt"

// loadedFigures are what is said about small requests under one load.
type loadedFigures struct {
	bulk                int
	p50, p99            *row // over open connections
	fresh50, fresh99    *row // with a new connection for each request
	idle, ours, kernels latencies
}

func newLoadedFigures(scenario string, bulk int) *loadedFigures {
	load := "1 download"
	if bulk > 1 {
		load = fmt.Sprintf("%d downloads", bulk)
	}
	line := func(figure string, must, aim float64) *row {
		return &row{
			ID: "P9", Scenario: scenario + ", beside " + load, Direction: "down",
			Figure: figure, Must: must, Aim: aim, AtMost: true,
		}
	}
	return &loadedFigures{
		bulk:    bulk,
		p50:     line("small request over an open stream, p50 ÷ median of kernel TCP over an open connection, idle, on the best uplink", 2, 1.3),
		p99:     line("the same, p99 ÷ that median", 4, 2),
		fresh50: line("small request with a new stream for each, p50 ÷ median of kernel TCP with new connections, idle, on the best uplink", 0, 0),
		fresh99: line("the same, p99 ÷ that median", 0, 0),
	}
}

func (f *loadedFigures) rows() []*row { return []*row{f.p50, f.p99, f.fresh50, f.fresh99} }

// take adds one repetition.
func (f *loadedFigures) take(idle, ours, kernels *latencies) {
	f.idle.add(idle)
	f.ours.add(ours)
	f.kernels.add(kernels)
	for _, c := range []struct {
		line                *row
		q                   float64
		idle, ours, kernels []float64
	}{
		{f.p50, 0.5, idle.open, ours.open, kernels.open},
		{f.p99, 0.99, idle.open, ours.open, kernels.open},
		{f.fresh50, 0.5, idle.fresh, ours.fresh, kernels.fresh},
		{f.fresh99, 0.99, idle.fresh, ours.fresh, kernels.fresh},
	} {
		base := quantile(c.idle, 0.5)
		c.line.Values = append(c.line.Values, quantile(c.ours, c.q)/base)
		c.line.Reference = fmt.Sprintf("idle %s ms; kernel MPTCP under the same load", number(base))
		c.line.ReferenceUnit = "ms"
		c.line.ReferenceValues = append(c.line.ReferenceValues, quantile(c.kernels, c.q))
	}
}

// plot draws the distributions of the requests over open connections.
func (f *loadedFigures) plot(b *bench, profile string) error {
	return b.plotCDF(fmt.Sprintf("requests-%s-%d", profile, f.bulk), "Small requests, "+f.p50.Scenario,
		cdfCurve("kernel TCP, idle", f.idle.open), cdfCurve("Hawser, loaded", f.ours.open),
		cdfCurve("Hawser, loaded, new streams", f.ours.fresh), cdfCurve("kernel MPTCP, loaded", f.kernels.open))
}
