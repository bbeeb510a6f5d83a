//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"hawser/test/netlab/profile"
)

// voidError is why a repetition says nothing.
type voidError string

func (e voidError) Error() string { return string(e) }

// checkReference voids a repetition in which kernel TCP gets less than 0.9 of what the i-th link can carry, in bit/s. What a
// congestion control that takes loss for congestion gets on a link that loses packets depends on the round trip alone,
// so there is nothing to check.
func (b *bench) checkReference(i int, got float64, l profile.Link) error {
	possible := float64(l.Rate) * (1 - l.Loss)
	if got >= 0.9*possible || l.Loss > 0 && b.congestion != "bbr" {
		return nil
	}
	return voidError(fmt.Sprintf("kernel TCP on link %d got %s of %s Mbit/s", i+1, number(got/1e6), number(float64(l.Rate)/1e6)))
}

// repeats is how many void repetitions of a figure are made again.
const repeats = 2

// rounds calls measure for each repetition; it appends one value to each of the rows. When it returns a voidError the
// repetition is made again, at most twice in all; then the rows are void. What it took is divided among the rows.
func (b *bench) rounds(ctx context.Context, measure func(ctx context.Context) error, rows ...*row) error {
	again := repeats
	for n := 0; n < b.runs; {
		begin := time.Now()
		err := measure(ctx)
		for _, r := range rows {
			r.Seconds += time.Since(begin).Seconds() / float64(len(rows))
		}
		var void voidError
		switch {
		case errors.As(err, &void) && again > 0:
			again--
			fmt.Fprintf(os.Stderr, "  once more: %v\n", void)
			for _, r := range rows {
				r.cut(n)
			}
			continue
		case errors.As(err, &void):
			for _, r := range rows {
				r.Void = string(void)
			}
		case err != nil:
			return err
		}
		n++
	}
	return ctx.Err()
}

// cut drops the values after the first n repetitions.
func (r *row) cut(n int) {
	r.Values = r.Values[:min(n, len(r.Values))]
	r.ReferenceValues = r.ReferenceValues[:min(n, len(r.ReferenceValues))]
	for i := range r.Beside {
		r.Beside[i].Values = r.Beside[i].Values[:min(n, len(r.Beside[i].Values))]
	}
}
