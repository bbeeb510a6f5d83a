package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newRun(t *testing.T) (*run, *bytes.Buffer) {
	var out bytes.Buffer
	return &run{ctx: t.Context(), out: &out, started: time.Now()}, &out
}

// lastLine is what a machine reads of a run.
func lastLine(out *bytes.Buffer) string {
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	return lines[len(lines)-1]
}

func TestRunStopsAtTheFirstFailingStageAndStillSumsUp(t *testing.T) {
	r, out := newRun(t)
	third := false
	ok := r.all([]stage{
		{"one", func(r *run) error { r.pass(); return nil }},
		{"two", func(*run) error { return errors.New("two is wrong") }},
		{"three", func(*run) error { third = true; return nil }},
	})
	r.summary()
	if ok || third {
		t.Errorf("ok %v, third stage ran %v", ok, third)
	}
	if got := lastLine(out); got != "1 passed, 1 failed, 0 skipped" {
		t.Errorf("last line is %q", got)
	}
	if !strings.Contains(out.String(), "FAILED at two: two is wrong") {
		t.Errorf("no clear message in:\n%s", out)
	}
}

func TestSkipsFailInCIOnly(t *testing.T) {
	for _, ci := range []bool{false, true} {
		r, out := newRun(t)
		r.ci = ci
		ok := r.all([]stage{{"one", func(r *run) error {
			r.pass()
			r.skips = []skip{{"p TestA", "needs root"}, {"p TestB", "needs root"}, {"p TestC", "needs curl"}}
			return nil
		}}})
		r.summary()
		if ok == ci {
			t.Errorf("CI %v: ok is %v", ci, ok)
		}
		if got := lastLine(out); got != "1 passed, 0 failed, 3 skipped" {
			t.Errorf("CI %v: last line is %q", ci, got)
		}
		if !strings.Contains(out.String(), "skipped 2: needs root\n        p TestA\n        p TestB\n") {
			t.Errorf("CI %v: reasons are missing in:\n%s", ci, out)
		}
	}
}

func TestCommandShowsItsOutputOnlyWhenItFails(t *testing.T) {
	r, out := newRun(t)
	if err := r.command(nil, "go", "version"); err != nil || out.Len() > 0 {
		t.Errorf("error %v, output %q", err, out)
	}
	if err := r.command(nil, "go", "no-such-command"); err == nil || !strings.Contains(out.String(), "unknown command") {
		t.Errorf("error %v, output %q", err, out)
	}
}

func TestCommandEndsWithTheRun(t *testing.T) {
	r, _ := newRun(t)
	ctx, cancel := context.WithCancel(t.Context())
	r.ctx = ctx
	cancel()
	if err := r.command(nil, "go", "version"); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestMissingNeeds(t *testing.T) {
	look := func(program string) (string, error) {
		if program == "ip" {
			return "", os.ErrNotExist
		}
		return program, nil
	}
	if got := packages(missingNeeds(needs, look)); len(got) != 1 || got[0] != "iproute2" {
		t.Errorf("packages to install: %v, want iproute2", got)
	}
}

// samples is a module in which everything happens that go test can report.
var samples = map[string]string{
	"go.mod": "module sample\n\ngo 1.26\n",
	"good/a_test.go": `package good
import "testing"
func TestPass(t *testing.T) {}
func TestParent(t *testing.T) { t.Run("a", TestPass); t.Run("b", TestPass) }
func TestSkip(t *testing.T) { t.Log("first: a log"); t.Skip("needs root: network namespaces") }
`,
	"bad/a_test.go": `package bad
import "testing"
func TestParent(t *testing.T) {
	t.Run("ok", func(t *testing.T) {})
	t.Run("wrong", func(t *testing.T) { t.Error("the reason of the failure") })
}
func TestAfterwards(t *testing.T) { t.Run("ok", func(t *testing.T) {}); t.Error("itself") }
`,
	"panics/a_test.go": "package panics\nimport \"testing\"\nfunc TestPanic(t *testing.T) { panic(\"a panic\") }\n",
	"exits/a_test.go":  "package exits\nimport (\"os\"; \"testing\")\nfunc TestMain(m *testing.M) { os.Exit(3) }\n",
	"broken/a_test.go": "package broken\nimport \"testing\"\nfunc TestNone(t *testing.T) { undefinedName() }\n",
}

func TestTallyOfARealRun(t *testing.T) {
	dir := t.TempDir()
	for name, text := range samples {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, c := range []struct {
		pkg            string
		passed, failed int
		says           []string
	}{
		{"./good", 3, 0, []string{"ok   sample/good"}},
		{"./bad", 2, 2, []string{"the reason of the failure", "itself", "FAIL sample/bad"}},
		{"./panics", 0, 1, []string{"a panic"}},
		{"./exits", 0, 1, []string{"FAIL sample/exits"}},
		{"./broken", 0, 1, []string{"undefinedName"}},
	} {
		r, out := newRun(t)
		err := r.goTest("-vet=off", c.pkg)
		if (err != nil) != (c.failed > 0) || r.passed != c.passed || r.failed != c.failed {
			t.Errorf("%s: %d passed, %d failed, error %v; want %d and %d\n%s", c.pkg, r.passed, r.failed, err, c.passed, c.failed, out)
		}
		for _, text := range c.says {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%s: %q is missing in:\n%s", c.pkg, text, out)
			}
		}
		if c.pkg == "./good" && (len(r.skips) != 1 || r.skips[0].reason != "needs root: network namespaces") {
			t.Errorf("skips are %v", r.skips)
		}
	}
}
