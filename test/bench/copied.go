//go:build linux

package main

import (
	"context"
	"os"
	"path/filepath"

	"hawser/test/bench/copies"
	"hawser/test/netlab"
)

// benchCopies counts the bytes that each program copies in user space for each byte that an application receives, from
// an application's socket to the uplinks or back, TLS and mux included.
func benchCopies(ctx context.Context, b *bench) error {
	dir, err := os.MkdirTemp("", "hawser-bench-copies-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // for the user of -user
		return err
	}
	counting := *b
	counting.bin = dir
	var readers []copies.Reader
	for _, name := range []string{"client", "server"} {
		program := filepath.Join(dir, "hawser-"+name)
		if err := copies.Build(ctx, "hawser/cmd/"+name, program); err != nil {
			return err
		}
		r, err := copies.Open(program)
		if err != nil {
			return err
		}
		readers = append(readers, r)
	}
	r, err := counting.newBond(ctx, []netlab.LinkConfig{{}, {}})
	if err != nil {
		return err
	}
	defer r.close()
	programs := []*netlab.Cmd{r.Client, r.Server}
	for _, upload := range b.upload {
		lines := make([]*row, len(programs))
		for i, name := range []string{"client", "server"} {
			lines[i] = &row{
				Scenario: "unshaped links", Direction: direction(upload), Figure: "bytes copied in user space for each byte delivered, " + name,
				Must: 4, AtMost: true, Reference: "memmove of the whole program",
			}
		}
		err := b.rounds(ctx, func(ctx context.Context) error {
			t, err := r.sink.dial(ctx, r.dial, upload)
			if err != nil {
				return err
			}
			defer t.stop()
			pause(ctx, warmUp)
			bytes, before := t.received.Load(), make([]uint64, len(programs))
			for i, p := range programs {
				if before[i], err = readers[i].Read(p.Process.Pid); err != nil {
					return err
				}
			}
			pause(ctx, b.duration-warmUp)
			delivered := float64(t.received.Load() - bytes)
			for i, p := range programs {
				after, err := readers[i].Read(p.Process.Pid)
				if err != nil {
					return err
				}
				lines[i].Values = append(lines[i].Values, float64(after-before[i])/delivered)
			}
			return nil
		}, lines...)
		if err != nil {
			return err
		}
		b.add(lines...)
	}
	return nil
}
