//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"hawser/test/netlab"
)

// processors is how many the machine has.
func processors() int { return runtime.NumCPU() }

// rawVariant is one way of rawcat over an unshaped link.
type rawVariant struct {
	name    string
	link    netlab.LinkConfig
	options []string
	path    string // that rawcat then reports
}

// rawVariants are the ways, from the cheapest on.
func rawVariants() []rawVariant {
	whole, frames := netlab.LinkConfig{}, netlab.LinkConfig{NoOffloads: true}
	return []rawVariant{
		{"super-segments, cut by the device", whole, nil, "gso"},
		{"super-segments, cut by the kernel", frames, nil, "gso"},
		{"frames", frames, []string{"--gso=false"}, "frames"},
		{"raw IP", frames, []string{"--rawip"}, "rawip"},
	}
}

// Figures beside a cost, the processor time in seconds per GB (10⁹ bytes).
const (
	costGoodput = "raw TCP"          // Gbit/s
	costRaw     = "machine, raw"     // everything: both ends, and the measurement itself
	costKernel  = "machine, kernels" // the same with kernel TCP at both ends
)

// costTime is how long a transfer takes whose cost is measured.
const costTime = warmUp + 2*time.Second

// benchRawCost measures what raw TCP costs the processors: rawcat as a whole, by the way that it sends, and its parts.
func benchRawCost(ctx context.Context, b *bench) error {
	for _, v := range rawVariants() {
		if err := b.rawCost(ctx, v); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
	}
	for _, p := range rawParts() {
		if err := b.rawPart(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

func (b *bench) rawCost(ctx context.Context, v rawVariant) error {
	r, err := b.newRawLab(v.link, 1)
	if err != nil {
		return err
	}
	defer r.close()
	for _, sends := range b.upload {
		line := &row{ID: rawCostID, Scenario: v.name, Direction: rawDirection(sends), Figure: "rawcat as a whole", Unit: "s/GB"}
		err := b.rounds(ctx, func(ctx context.Context) error {
			kernel, err := r.measure(ctx, kernelConn, sends, costTime)
			if err != nil {
				return err
			}
			var said rawcatReport
			raw, err := r.measure(ctx, rawcatConn(&said, v.options...), sends, costTime)
			if err != nil {
				return err
			}
			if said.path != v.path {
				return fmt.Errorf("rawcat sends by %s, want %s", said.path, v.path)
			}
			line.Values = append(line.Values, said.cpu/gigabytes(raw.bytes))
			line.note(costGoodput, "Gbit/s", raw.steady/1e9)
			line.note(costRaw, "s/GB", raw.cpu/gigabytes(raw.bytes))
			line.note(costKernel, "s/GB", kernel.cpu/gigabytes(kernel.bytes))
			return nil
		}, line)
		if err != nil {
			return err
		}
		b.add(line)
	}
	return nil
}

func gigabytes(n int64) float64 { return float64(n) / 1e9 }

// rawPart is a part of raw TCP alone, by a benchmark of its package.
type rawPart struct {
	name      string
	pkg       string
	benchmark string // as go test prints its name, without the number of processors
	unit      string // of the metric: CPU-s/GB, or MB/s of a benchmark that keeps one processor busy
}

func rawParts() []rawPart {
	const path, machine = "hawser/transport/packet", "hawser/transport/tcp"
	return []rawPart{
		{"packet path, super-segments cut by the device", path, "BenchmarkPath/gso/whole", "CPU-s/GB"},
		{"packet path, super-segments cut by the kernel and merged again", path, "BenchmarkPath/gso/cut-by-kernel/gro", "CPU-s/GB"},
		{"packet path, super-segments cut by the kernel", path, "BenchmarkPath/gso/cut-by-kernel/no-gro", "CPU-s/GB"},
		{"packet path, frames", path, "BenchmarkPath/frames", "CPU-s/GB"},
		{"packet path, raw IP", path, "BenchmarkPath/rawip", "CPU-s/GB"},
		{"TCP machine, super-segments", machine, "BenchmarkSuperSegments", "MB/s"},
		{"TCP machine, frames", machine, "BenchmarkSegments", "MB/s"},
	}
}

// rawPart measures one part.
func (b *bench) rawPart(ctx context.Context, p rawPart) error {
	line := &row{ID: rawCostID, Scenario: p.name, Figure: "both ends of this part", Unit: "s/GB"}
	err := b.rounds(ctx, func(ctx context.Context) error {
		pattern := "^" + strings.ReplaceAll(p.benchmark, "/", "$/^") + "$"
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, p.pkg)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", cmd, err, out)
		}
		value, err := metric(out, p.benchmark, p.unit)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		if p.unit == "MB/s" {
			value = 1e3 / value
		}
		line.Values = append(line.Values, value)
		return nil
	}, line)
	if err != nil {
		return err
	}
	b.add(line)
	return nil
}

// metric finds the value of a metric in what go test prints about a benchmark.
func metric(out []byte, benchmark, unit string) (float64, error) {
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) == 0 || f[0] != benchmark && !strings.HasPrefix(f[0], benchmark+"-") {
			continue
		}
		for i := 2; i+1 < len(f); i += 2 {
			if f[i+1] == unit {
				return strconv.ParseFloat(f[i], 64)
			}
		}
	}
	return 0, errors.New("the benchmark has printed no " + unit)
}
