//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"hawser/test/netlab"
)

// How many streams are open at once, and how many of them when each has moved usedBytes in both directions.
const (
	idleStreams = 10_000
	usedStreams = 2_000
	usedBytes   = 1_000_000
)

// benchIdle measures what an idle stream costs: how much the resident memory of the programs has grown. One that has
// moved data may cost no more than one that has not.
func benchIdle(ctx context.Context, b *bench) error {
	dir, err := os.MkdirTemp("", "hawser-bench-target-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "target")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "hawser/test/bench/target").CombinedOutput(); err != nil {
		return fmt.Errorf("build the target: %w\n%s", err, out)
	}
	for _, use := range []struct {
		streams, bytes int
		what           string
	}{
		{idleStreams, 1, fmt.Sprintf("%d idle streams", idleStreams)},
		{usedStreams, usedBytes, fmt.Sprintf("%d idle streams that have moved 1 MB both ways", usedStreams)},
	} {
		line := func(figure string) *row {
			return &row{
				ID: "P16", Scenario: "unshaped links, " + use.what, Figure: figure, Unit: "kB", AtMost: true, Must: 40, Aim: 16,
				Reference: "resident before", ReferenceUnit: "MB",
			}
		}
		both, server := line("memory of a stream, both programs"), line("memory of a stream, server")
		err := b.rounds(ctx, func(ctx context.Context) error {
			i := idle{program: program, streams: use.streams, bytes: use.bytes}
			if err := i.run(ctx, b); err != nil {
				return err
			}
			i.take(both, i.before.client+i.before.server, i.after.client+i.after.server)
			i.take(server, i.before.server, i.after.server)
			return nil
		}, both, server)
		if err != nil {
			return err
		}
		b.add(both, server)
	}
	return nil
}

// idle is one measurement of many streams.
type idle struct {
	program        string // the target's
	streams, bytes int

	target        *netlab.Cmd
	addr          string
	conns         []net.Conn
	before, after memory
}

// memory is the resident memory of each program, bytes.
type memory struct{ client, server int64 }

func (b *bond) memory() (m memory, err error) {
	if m.client, err = rss(b.Client); err != nil {
		return m, err
	}
	m.server, err = rss(b.Server)
	return m, err
}

// take adds the growth for each stream to a row, kB.
func (i *idle) take(line *row, before, after int64) {
	line.Values = append(line.Values, float64(after-before)/float64(i.streams)/1e3)
	line.ReferenceValues = append(line.ReferenceValues, float64(before)/1e6)
}

// rest is how long the programs are left alone before their memory is read: the collector gives back what a burst has
// used within seconds.
const rest = 10 * time.Second

func (i *idle) run(ctx context.Context, b *bench) error {
	r, err := b.newBond(ctx, []netlab.LinkConfig{{}, {}})
	if err != nil {
		return err
	}
	defer r.close()
	if err := i.serve(ctx, r); err != nil {
		return err
	}
	defer func() { _ = i.target.Process.Kill(); _ = i.target.Wait() }()
	if i.before, err = r.memory(); err != nil {
		return err
	}
	i.conns = make([]net.Conn, i.streams)
	defer func() {
		for _, c := range i.conns {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	var g errgroup.Group
	g.SetLimit(openers)
	for n := range i.conns {
		g.Go(func() (err error) {
			if i.conns[n], err = r.Dial(ctx, i.addr); err == nil {
				err = i.use(i.conns[n])
			}
			if err != nil {
				return voidError(fmt.Sprintf("stream %d of %d: %v", n+1, i.streams, err))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	pause(ctx, rest)
	i.after, err = r.memory()
	return err
}

// serve starts the target on the server's host and waits for it.
func (i *idle) serve(ctx context.Context, r *bond) (err error) {
	i.addr = netip.AddrPortFrom(r.Addr, 9003).String()
	i.target = r.Home.Server.Command(ctx, i.program, i.addr)
	i.target.Stderr = os.Stderr
	if err := i.target.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(5 * time.Second); ; pause(ctx, 20*time.Millisecond) {
		c, err := r.Home.Server.Dial(ctx, "tcp", i.addr)
		if err == nil {
			return c.Close()
		}
		if ctx.Err() != nil || time.Now().After(end) {
			_ = i.target.Process.Kill()
			return fmt.Errorf("the target does not listen: %w", err)
		}
	}
}

// use moves bytes to the target and back at the same time.
func (i *idle) use(c net.Conn) error {
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	var g errgroup.Group
	g.Go(func() error {
		_, err := io.CopyN(c, zeros{}, int64(i.bytes))
		return err
	})
	g.Go(func() error {
		n, err := io.CopyN(io.Discard, c, int64(i.bytes))
		if err != nil {
			return fmt.Errorf("%d of %d bytes came back: %w", n, i.bytes, err)
		}
		return nil
	})
	return g.Wait()
}
