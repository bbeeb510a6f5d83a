//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"hawser/test/netlab"
)

// openers is how many applications open streams at once.
const openers = 32

// benchStreams measures new streams, each with one small exchange, per second.
func benchStreams(ctx context.Context, b *bench) error {
	r, err := newBond(ctx, b.bin, []netlab.LinkConfig{{}, {}})
	if err != nil {
		return err
	}
	defer r.close()
	line := row{Scenario: "unshaped links", Figure: "new streams, each with a small exchange", Unit: "/s", Bound: 2000}
	var tcp []float64
	for range b.runs {
		v, err := exchanges(ctx, func(ctx context.Context) (net.Conn, error) { return r.direct(ctx, 0) })
		if err != nil {
			return err
		}
		tcp = append(tcp, v)
		if v, err = exchanges(ctx, r.dial); err != nil {
			return err
		}
		line.Values = append(line.Values, v)
	}
	line.Reference = "kernel TCP directly: " + number(quantile(tcp, 0.5)) + " /s"
	b.rows = append(b.rows, line)
	return nil
}

// exchanges opens, asks, reads and closes for three seconds.
func exchanges(ctx context.Context, dial func(context.Context) (net.Conn, error)) (perSecond float64, err error) {
	const span = 3 * time.Second
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	begin := time.Now()
	for range openers {
		wg.Go(func() {
			for time.Since(begin) < span && ctx.Err() == nil && failed.Load() == nil {
				if err := exchange(ctx, dial); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if e := failed.Load(); e != nil {
		return 0, *e
	}
	return float64(done.Load()) / time.Since(begin).Seconds(), ctx.Err()
}

func exchange(ctx context.Context, dial func(context.Context) (net.Conn, error)) error {
	c, err := dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write(binary.BigEndian.AppendUint64([]byte{askBytes}, 2000)); err != nil {
		return err
	}
	if n, err := io.Copy(io.Discard, c); n != 2000 || err != nil {
		return fmt.Errorf("%d of 2000 bytes came: %w", n, err)
	}
	return nil
}

// idleStreams is how many streams are open at once.
const idleStreams = 5000

// benchIdle measures what an idle stream costs, both programs together.
func benchIdle(ctx context.Context, b *bench) error {
	line := row{
		Scenario: fmt.Sprintf("%d idle streams", idleStreams), Figure: "memory of a stream, both programs", Unit: "kB",
		Bound: 40, AtMost: true, Reference: "resident memory before",
	}
	for range b.runs {
		v, err := idleOnce(ctx, b)
		if err != nil {
			return err
		}
		line.Values = append(line.Values, v)
	}
	b.rows = append(b.rows, line)
	return nil
}

func idleOnce(ctx context.Context, b *bench) (kB float64, err error) {
	r, err := newBond(ctx, b.bin, []netlab.LinkConfig{{}, {}})
	if err != nil {
		return 0, err
	}
	defer r.close()
	before, err := r.memory()
	if err != nil {
		return 0, err
	}
	conns := make([]net.Conn, 0, idleStreams)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range idleStreams {
		c, err := r.dial(ctx)
		if err != nil {
			return 0, err
		}
		conns = append(conns, c)
		if _, err := c.Write([]byte{askEcho, 1}); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			return 0, err
		}
	}
	pause(ctx, 5*time.Second) // a collection or two
	after, err := r.memory()
	return float64(after-before) / idleStreams / 1e3, err
}

// memory is the resident memory of both programs, bytes.
func (r *bond) memory() (int64, error) {
	c, err := rss(r.Client)
	if err != nil {
		return 0, err
	}
	s, err := rss(r.Server)
	return c + s, err
}

// benchMemory measures the memory of each program during a transfer of 1 GB each way.
func benchMemory(ctx context.Context, b *bench) error {
	r, err := newBond(ctx, b.bin, []netlab.LinkConfig{{}, {}})
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
		t, err := startTransfer(c, upload)
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
			Values: []float64{float64(most[i]) / 1e6}, Bound: 150, AtMost: true,
		})
	}
	return ctx.Err()
}
