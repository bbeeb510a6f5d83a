package arch

import (
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

// long excuses what has a reason to be longer than the limits.
var long = Long{}

// repository is parsed once for all tests.
var repository = sync.OnceValues(func() (*Tree, error) { return Load(os.DirFS("../..")) })

// rules are what this repository has to obey.
var rules = map[string]func(*Tree) []string{
	"pure packages stay pure":               Impure,
	"packages import downwards only":        func(t *Tree) []string { return Breaches(t, Walls) },
	"sessions read the clock in one place":  func(t *Tree) []string { return ClockReads(t, ClockReaders) },
	"sessions open no sockets":              Sockets,
	"files and functions stay short":        func(t *Tree) []string { return TooLong(t, long) },
	"parsers of network input are fuzzed":   func(t *Tree) []string { return Unfuzzed(t, Parsers) },
	"packages explain themselves":           Unexplained,
	"nothing is left open":                  LeftOpen,
	"tests wait for events, not for clocks": Sleeps,
}

func TestRepository(t *testing.T) {
	tree, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(tree.Go(func(f *File) bool { return strings.HasPrefix(f.Path, "transport/") })); n == 0 {
		t.Fatal("no file of package transport was found: the tree is not the repository")
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			for _, violation := range rule(tree) {
				t.Error(violation)
			}
		})
	}
}

// sample is a tree of one or a few files, given as path and source.
func sample(t *testing.T, files ...string) *Tree {
	t.Helper()
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	tree, err := Load(m)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// want checks that the violations contain exactly the given texts, one each and in order.
func want(t *testing.T, got []string, texts ...string) {
	t.Helper()
	if len(got) != len(texts) {
		t.Fatalf("got %d violations, want %d:\n%s", len(got), len(texts), strings.Join(got, "\n"))
	}
	for i, text := range texts {
		if !strings.Contains(got[i], text) {
			t.Errorf("violation %d is %q, want %q in it", i, got[i], text)
		}
	}
}

func TestLoadReportsAFileThatDoesNotParse(t *testing.T) {
	_, err := Load(fstest.MapFS{"cc/x.go": {Data: []byte("package cc\nfunc {")}})
	if err == nil || !strings.Contains(err.Error(), "cc/x.go") {
		t.Fatalf("error is %v, want the name of the file in it", err)
	}
}

func TestLoadLeavesOutWhatIsNotSource(t *testing.T) {
	tree := sample(t, "bin/x.go", "no Go", "cc/testdata/x.go", "no Go", "cc/logo.png", "no text", "docs/a.md", "text")
	var paths []string
	for _, f := range tree.Files {
		paths = append(paths, f.Path)
	}
	if got := strings.Join(paths, " "); got != "cc/testdata/x.go docs/a.md" {
		t.Errorf("files read: %s", got)
	}
}
