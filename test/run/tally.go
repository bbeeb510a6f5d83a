package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is a line of `go test -json` (go doc test2json).
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build events, with the variant: "hawser/cc [hawser/cc.test]"
	Test        string
	Elapsed     float64
	Output      string
	FailedBuild string
}

// tally counts the results of one `go test -json` and prints what people want to see of it: a line for each package,
// and everything that a failed test or build has said.
//
// Only leaves count: a test that has subtests passes and fails with them, and counts itself only when it fails while
// all of them passed.
type tally struct {
	out            io.Writer
	passed, failed int
	skips          []skip

	said    map[string][]string // by package and test: its output so far
	results map[string]int      // by package: tests that have failed in it
	parents map[string]bool     // tests of which a subtest was seen
	broken  map[string]bool     // tests of which a subtest failed
}

func newTally(out io.Writer) *tally {
	return &tally{
		out: out, said: map[string][]string{}, results: map[string]int{},
		parents: map[string]bool{}, broken: map[string]bool{},
	}
}

// read takes in the whole stream. A line that is no event is shown as it is.
func (t *tally) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil {
				t.take(e)
			} else {
				fmt.Fprintf(t.out, "%s", line)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the results of go test: %w", err)
		}
	}
}

// take counts one event.
func (t *tally) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(t.out, e.Output)
	case "run":
		for p := parent(e.Test); p != ""; p = parent(p) {
			t.parents[e.Package+" "+p] = true
		}
	case "output":
		t.said[key] = append(t.said[key], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			t.packageDone(e)
		} else {
			t.testDone(e, key)
		}
		delete(t.said, key)
	}
}

func (t *tally) testDone(e event, key string) {
	switch e.Action {
	case "fail":
		t.results[e.Package]++
		fmt.Fprintf(t.out, "--- FAIL: %s\n%s", key, strings.Join(t.said[key], ""))
		if !t.broken[key] {
			t.failed++
		}
		for p := parent(e.Test); p != ""; p = parent(p) {
			t.broken[e.Package+" "+p] = true
		}
	case "skip":
		t.skips = append(t.skips, skip{test: key, reason: reason(t.said[key])})
	case "pass":
		if !t.parents[key] {
			t.passed++
		}
	}
}

// packageDone prints the package's line. A package may fail without a test that did: it does not build, its TestMain
// fails, or it panics or runs out of time outside any test.
func (t *tally) packageDone(e event) {
	switch e.Action {
	case "fail":
		fmt.Fprintf(t.out, "   FAIL %s %.1f s\n%s", e.Package, e.Elapsed, strings.Join(t.said[e.Package+" "], ""))
		t.unfinished(e.Package)
		if t.results[e.Package] == 0 {
			t.failed++
		}
	case "pass":
		fmt.Fprintf(t.out, "   ok   %s %.1f s\n", e.Package, e.Elapsed)
	}
}

// unfinished shows what tests have said that never ended, as after a panic.
func (t *tally) unfinished(pkg string) {
	var keys []string
	for key := range t.said {
		if strings.HasPrefix(key, pkg+" ") && key != pkg+" " {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		fmt.Fprintf(t.out, "--- UNFINISHED: %s\n%s", key, strings.Join(t.said[key], ""))
	}
}

// parent is the test that a subtest belongs to; empty for a test of its own.
func parent(test string) string {
	if i := strings.LastIndexByte(test, '/'); i >= 0 {
		return test[:i]
	}
	return ""
}

// reason finds the text of t.Skip in what the test has said: the lines between the framework's own, without the place.
func reason(said []string) string {
	var text []string
	for _, line := range said {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		if _, after, ok := strings.Cut(line, ".go:"); ok {
			if _, message, ok := strings.Cut(after, ": "); ok {
				line = message
			}
		}
		text = append(text, line)
	}
	if len(text) == 0 {
		return "no reason given"
	}
	return text[len(text)-1]
}
