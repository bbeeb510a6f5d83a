//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"hawser/test/netlab/profile"
)

// connects is how many connections of each kind are opened in a repetition.
const connects = 25

// benchConnect measures the time from opening a connection to the first byte of an answer, against direct TCP on the
// best uplink.
func benchConnect(ctx context.Context, b *bench) error {
	for _, p := range []profile.Profile{profile.TwoEqual(), profile.CableLTE()} {
		line := &row{
			ID: "P10", Scenario: links(p), Figure: "connect and first byte through the pair ÷ direct TCP on the best uplink, medians",
			Must: 1.05, Aim: 1, AtMost: true, Reference: "kernel TCP", ReferenceUnit: "ms",
		}
		err := b.onProfile(ctx, p, func(r *bond) error {
			ours := func() error { return fetch(ctx, r.dial, 1) }
			theirs := func() error {
				return fetch(ctx, func(ctx context.Context) (net.Conn, error) { return r.direct(ctx, p.Best()) }, 1)
			}
			return b.rounds(ctx, func(ctx context.Context) error {
				own, other, err := interleave(ctx, r, connects, ours, theirs)
				if err != nil {
					return err
				}
				line.Values = append(line.Values, quantile(own, 0.5)/quantile(other, 0.5))
				line.ReferenceValues = append(line.ReferenceValues, quantile(other, 0.5))
				return nil
			}, line)
		})
		if err != nil {
			return err
		}
		b.add(line)
	}
	return nil
}

// fetches is how many of each size are fetched in each way in a repetition.
const fetches = 10

// benchFetch measures the time to fetch 100 kB and 1 MB, with a new connection for each, against kernel MPTCP.
func benchFetch(ctx context.Context, b *bench) error {
	for _, p := range []profile.Profile{profile.TwoEqual(), profile.CableLTE()} {
		var lines []*row
		for _, size := range []string{"100 kB", "1 MB"} {
			lines = append(lines, &row{
				ID: "P11", Scenario: links(p), Direction: "down", Figure: "time to fetch " + size + " ÷ kernel MPTCP, a new connection for each, medians",
				Must: 0.8, Aim: 0.5, AtMost: true, Reference: "kernel MPTCP", ReferenceUnit: "ms",
			})
		}
		err := b.onProfile(ctx, p, func(r *bond) error {
			return b.rounds(ctx, func(ctx context.Context) error {
				for i, size := range []int{100_000, 1_000_000} {
					ours := func() error { return fetch(ctx, r.dial, size) }
					theirs := func() error { return fetch(ctx, r.multipath, size) }
					own, other, err := interleave(ctx, r, fetches, ours, theirs)
					if err != nil {
						return err
					}
					lines[i].Values = append(lines[i].Values, quantile(own, 0.5)/quantile(other, 0.5))
					lines[i].ReferenceValues = append(lines[i].ReferenceValues, quantile(other, 0.5))
				}
				return nil
			}, lines...)
		})
		if err != nil {
			return err
		}
		b.add(lines...)
	}
	return nil
}

// onProfile runs f with both programs on the links of a profile.
func (b *bench) onProfile(ctx context.Context, p profile.Profile, f func(r *bond) error) error {
	r, err := b.newProfile(ctx, p)
	if err != nil {
		return err
	}
	defer r.close()
	return f(r)
}

// interleave does each of two things n times, by turns, and gives how long each took, in ms. The second is a reference.
func interleave(ctx context.Context, r *bond, n int, f, reference func() error) (each, references []float64, err error) {
	timed := func(took *[]float64, f func() error) error {
		r.settle(ctx)
		begin := time.Now()
		err := f()
		*took = append(*took, float64(time.Since(begin).Microseconds())/1e3)
		return err
	}
	for range n {
		if err := timed(&each, f); err != nil {
			return nil, nil, err
		}
		if err := r.asReference(func() error { return timed(&references, reference) }); err != nil {
			return nil, nil, err
		}
	}
	return each, references, ctx.Err()
}

// fetch opens a connection and gets so many bytes over it. It does not wait for the end behind them: some proxies tell
// that late.
func fetch(ctx context.Context, dial dialer, size int) error {
	c, err := dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := c.Write(binary.BigEndian.AppendUint64([]byte{askBytes}, uint64(size))); err != nil {
		return err
	}
	if n, err := io.CopyN(io.Discard, c, int64(size)); err != nil {
		return fmt.Errorf("%d of %d bytes came: %w", n, size, err)
	}
	return nil
}
