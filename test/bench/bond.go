//go:build linux

package main

import (
	"context"
	"net"
	"time"

	"hawser/test/netlab"
)

// Times of a throughput run.
const (
	warmUp  = 2 * time.Second
	measure = 6 * time.Second
)

// twoEqual is two links of 50 Mbit/s and 10 ms.
func twoEqual() []netlab.LinkConfig {
	l := netlab.LinkConfig{ARate: 50 * netlab.Mbit, BRate: 50 * netlab.Mbit, Delay: 10 * time.Millisecond}
	return []netlab.LinkConfig{l, l}
}

func direction(upload bool) string {
	if upload {
		return "up"
	}
	return "down"
}

// benchBond measures one stream over two shaped links against the sum of what kernel TCP gets on each alone.
func benchBond(ctx context.Context, b *bench) error {
	r, err := newBond(ctx, b.bin, twoEqual())
	if err != nil {
		return err
	}
	defer r.close()
	for _, upload := range []bool{false, true} {
		line := row{
			Scenario: "two links of 50 Mbit/s, 10 ms, " + direction(upload), Figure: "one stream ÷ sum of the links",
			Bound: 0.93, Reference: "kernel TCP on each link alone",
		}
		for range b.runs {
			mark, err := netlab.MarkCPU()
			if err != nil {
				return err
			}
			sum := 0.0
			for i := range r.Home.Uplinks {
				v, err := goodput(ctx, func(ctx context.Context) (net.Conn, error) { return r.direct(ctx, i) }, upload, warmUp, measure)
				if err != nil {
					return err
				}
				sum += v
			}
			v, err := goodput(ctx, r.dial, upload, warmUp, measure)
			if err != nil {
				return err
			}
			now, err := netlab.MarkCPU()
			if err != nil {
				return err
			}
			line.Saturated = line.Saturated || now.Since(mark).Saturated()
			line.Values = append(line.Values, v/sum)
		}
		b.rows = append(b.rows, line)
	}
	return nil
}

// benchUnshaped measures one stream over links without any shaping: what the programs cost.
func benchUnshaped(ctx context.Context, b *bench) error {
	r, err := newBond(ctx, b.bin, []netlab.LinkConfig{{}, {}})
	if err != nil {
		return err
	}
	defer r.close()
	for _, upload := range []bool{false, true} {
		line := row{
			Scenario: "unshaped links, " + direction(upload), Figure: "one stream", Unit: "Gbit/s", Bound: 3,
		}
		var tcp []float64
		for range b.runs {
			v, err := goodput(ctx, func(ctx context.Context) (net.Conn, error) { return r.direct(ctx, 0) }, upload, time.Second, 2*time.Second)
			if err != nil {
				return err
			}
			tcp = append(tcp, v/1e9)
			if v, err = goodput(ctx, r.dial, upload, time.Second, 4*time.Second); err != nil {
				return err
			}
			line.Values = append(line.Values, v/1e9)
		}
		line.Reference = "kernel TCP directly: " + number(quantile(tcp, 0.5)) + " Gbit/s"
		b.rows = append(b.rows, line)
	}
	return nil
}
