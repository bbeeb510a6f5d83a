package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// run is the state of one run of the driver. One goroutine owns it.
type run struct {
	ctx     context.Context
	out     io.Writer
	ci      bool // CI=true: a skip is a failure
	started time.Time

	passed, failed int
	skips          []skip
}

// skip is one test that did not run.
type skip struct {
	test   string // package and name
	reason string
}

// pass counts a check that is no Go test.
func (r *run) pass() { r.passed++ }

// command runs a program with its output shown only if it fails: what passes is not worth reading.
func (r *run) command(env []string, name string, args ...string) error {
	var out bytes.Buffer
	cmd := r.prepare(env, name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		fmt.Fprintf(r.out, "%s\n", bytes.TrimSpace(out.Bytes()))
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// output runs a program and returns what it prints on standard output.
func (r *run) output(env []string, name string, args ...string) (string, error) {
	var errOut bytes.Buffer
	cmd := r.prepare(env, name, args...)
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(errOut.Bytes()))
	}
	return string(out), nil
}

// prepare makes a command that ends with the run: asked first, so that tests can take their namespaces down.
func (r *run) prepare(env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(r.ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 15 * time.Second
	return cmd
}

// summary prints why tests were skipped, each reason once with its count, and the last line of the run.
func (r *run) summary() {
	reasons := map[string][]string{}
	for _, s := range r.skips {
		reasons[s.reason] = append(reasons[s.reason], s.test)
	}
	keys := make([]string, 0, len(reasons))
	for k := range reasons {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	fmt.Fprintf(r.out, "\n%.0f s in all\n", time.Since(r.started).Seconds())
	for _, k := range keys {
		fmt.Fprintf(r.out, "skipped %d: %s\n", len(reasons[k]), k)
		for _, test := range reasons[k] {
			fmt.Fprintf(r.out, "        %s\n", test)
		}
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, r.failed, len(r.skips))
}
