// Command run is the test driver behind `make test` and `make fuzz`.
//
// It goes through the stages in a fixed order (set-up, format, vet, lint, architecture, unit and simulation tests,
// simulations of the targets, tests in the real world, cross-builds), stops at the first one that fails, and ends with
// what was skipped and why and one line "N passed, N failed, N skipped". With CI=true a skip is a failure, so that a
// missing privilege or tool cannot hide behind a green run.
//
// It runs `go test -json` rather than reading its text, because only that tells a skip from a pass. A stage without
// tests of its own (format, vet, lint, a cross-build) counts as one check.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() { os.Exit(drive()) }

// drive does a whole run and gives the exit status.
func drive() int {
	fuzzTime := flag.Duration("fuzz", 0, "run every fuzz target for this long instead of the tests")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	r := &run{ctx: ctx, out: os.Stdout, ci: os.Getenv("CI") == "true", started: time.Now()}
	stages := testStages
	if *fuzzTime > 0 {
		stages = fuzzStages(*fuzzTime)
	}
	ok := r.all(stages)
	r.summary()
	if !ok {
		return 1
	}
	return 0
}

// testStages is the order of `make test`: what is quick and often wrong comes first.
var testStages = []stage{
	{"set-up", setUp},
	{"format", format},
	{"vet", vet},
	{"lint", lint},
	{"architecture", architecture},
	{"unit and simulation tests", unitTests},
	{"simulations of the targets", simulationTests},
	{"tests in the real world", worldTests},
	{"cross-builds", crossBuilds},
}

// stage is one step of a run.
type stage struct {
	name string
	do   func(*run) error
}

// all goes through the stages and reports whether every one passed, with no skip where none is allowed.
func (r *run) all(stages []stage) bool {
	for _, s := range stages {
		fmt.Fprintf(r.out, "== %s\n", s.name)
		began := time.Now()
		if err := s.do(r); err != nil {
			if r.failed == 0 {
				r.failed++ // the stage itself, where no test of it has been counted
			}
			fmt.Fprintf(r.out, "\nFAILED at %s: %v\n", s.name, err)
			return false
		}
		fmt.Fprintf(r.out, "   %s: %.1f s\n", s.name, time.Since(began).Seconds())
	}
	if r.ci && len(r.skips) > 0 {
		fmt.Fprintf(r.out, "\nFAILED: %d skipped, and with CI=true nothing may be\n", len(r.skips))
		return false
	}
	return true
}
