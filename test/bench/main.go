//go:build linux

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
)

// scenario is one kind of measurement.
type scenario struct {
	name string
	run  func(ctx context.Context, b *bench) error
}

// scenarios in the order in which they run.
var scenarios = []scenario{
	{"bond", benchBond},
	{"failover", benchFailover},
	{"unshaped", benchUnshaped},
	{"streams", benchStreams},
	{"idle", benchIdle},
	{"memory", benchMemory},
}

// bench is what scenarios share.
type bench struct {
	bin  string // directory of the programs
	runs int
	rows []row
}

func main() {
	var only, jsonFile, bin string
	b := &bench{}
	flag.StringVar(&only, "only", "", "scenarios to run, separated by commas (default all)")
	flag.StringVar(&jsonFile, "json", "", "file to write the figures to as JSON")
	flag.StringVar(&bin, "bin", "", "directory of built programs (default: build them)")
	flag.IntVar(&b.runs, "runs", 5, "repetitions of each measurement, of which the median counts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := b.main(ctx, only, jsonFile, bin)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) main(ctx context.Context, only, jsonFile, bin string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("namespaces need root: run it with sudo")
	}
	var cleanup func()
	var err error
	if b.bin, cleanup, err = programs(ctx, bin); err != nil {
		return err
	}
	defer cleanup()
	var missed bool
	for _, s := range scenarios {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s …\n", s.name)
		if err := s.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	printTable(os.Stdout, b.rows)
	for _, r := range b.rows {
		missed = missed || !r.Met()
	}
	if jsonFile != "" {
		text, err := json.MarshalIndent(b.rows, "", "  ")
		if err == nil {
			err = os.WriteFile(jsonFile, append(text, '\n'), 0o644)
		}
		if err != nil {
			return err
		}
	}
	if missed {
		return fmt.Errorf("some figures miss their bound")
	}
	return nil
}
