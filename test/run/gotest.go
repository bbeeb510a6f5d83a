package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// world lists the folders whose tests build namespaces, links and containers. They run one package at a time: they
// share the kernel's names and the machine's time.
var world = []string{"hawser/test/netlab", "hawser/test/e2e", "hawser/test/container", "hawser/test/hostile", "hawser/test/rawcat"}

const archPackage = "hawser/test/arch"

// architecture runs the tests of the house, without the race detector: they read files.
func architecture(r *run) error {
	return r.goTest("-shuffle=on", archPackage)
}

// unitTests runs every package that needs no real network.
func unitTests(r *run) error {
	ps, err := r.packages(func(p string) bool { return !isWorld(p) && p != archPackage })
	if err != nil {
		return err
	}
	return r.goTest(append([]string{"-race", "-shuffle=on", "-timeout=5m"}, ps...)...)
}

// simulated lists packages with tests that the race detector would make minutes long or would spoil; their files are left
// out of a build with it.
var simulated = []string{"hawser/mptcp", "hawser/transport/rawtcp"}

// simulationTests runs them without it.
func simulationTests(r *run) error {
	return r.goTest(append([]string{"-shuffle=on", "-timeout=5m"}, simulated...)...)
}

// worldTests runs the others. Without root they skip what needs it. They have no race detector: the emulated links live
// in the test's process, and it would make them too slow for what runs over them.
func worldTests(r *run) error {
	ps, err := r.packages(isWorld)
	if err != nil {
		return err
	}
	if len(ps) == 0 {
		return fmt.Errorf("no package was found in %s", strings.Join(world, ", "))
	}
	return r.goTest(append([]string{"-shuffle=on", "-p=1", "-timeout=10m"}, ps...)...)
}

func isWorld(pkg string) bool {
	return slices.ContainsFunc(world, func(w string) bool { return pkg == w || strings.HasPrefix(pkg, w+"/") })
}

// packages lists the module's packages that satisfy keep.
func (r *run) packages(keep func(string) bool) ([]string, error) {
	out, err := r.output(nil, "go", "list", "./...")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(strings.Fields(out), func(p string) bool { return !keep(p) }), nil
}

// goTest runs `go test -json` and counts. Errors of the go command itself arrive on standard error.
func (r *run) goTest(args ...string) error {
	cmd := r.prepare(nil, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start go test: %w", err)
	}
	t := newTally(r.out)
	readErr := t.read(pipe)
	waitErr := cmd.Wait()
	r.passed += t.passed
	r.failed += t.failed
	r.skips = append(r.skips, t.skips...)
	switch {
	case readErr != nil:
		return readErr
	case t.failed > 0:
		return fmt.Errorf("%d failed", t.failed)
	case waitErr != nil:
		return fmt.Errorf("go test: %w", waitErr)
	}
	return nil
}
