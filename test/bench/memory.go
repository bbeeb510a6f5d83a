//go:build linux

package main

import (
	"context"
	"time"

	"hawser/test/netlab"
)

// benchMemory measures the memory of each program during a transfer of 1 GB each way.
func benchMemory(ctx context.Context, b *bench) error {
	r, err := b.newBond(ctx, []netlab.LinkConfig{{}, {}})
	if err != nil {
		return err
	}
	defer r.close()
	var most [2]int64
	for _, upload := range []bool{false, true} {
		c, err := r.dial(ctx)
		if err != nil {
			return err
		}
		t, err := r.sink.start(c, upload)
		if err != nil {
			return err
		}
		for t.received.Load() < 1e9 && ctx.Err() == nil {
			for i, p := range []*netlab.Cmd{r.Client, r.Server} {
				n, err := rss(p)
				if err != nil {
					return err
				}
				most[i] = max(most[i], n)
			}
			pause(ctx, 20*time.Millisecond)
		}
		_ = c.Close()
	}
	for i, name := range []string{"client", "server"} {
		b.rows = append(b.rows, row{
			Scenario: "1 GB each way, unshaped links", Figure: "resident memory of the " + name + ", largest", Unit: "MB",
			Values: []float64{float64(most[i]) / 1e6}, Must: 150, AtMost: true,
		})
	}
	return ctx.Err()
}
