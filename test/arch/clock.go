package arch

import (
	"fmt"
	"go/ast"
	"slices"
)

// ClockReaders lists the files of the session that may read the clock, with the reason. All others are handed the time.
var ClockReaders = map[string]string{
	"mptcp/loop.go":     "the loop: it reads the clock once a turn",
	"mptcp/deadline.go": "deadlines of Read and Write belong to the application's goroutines",
	"mptcp/dialer.go":   "begins a connection before its loop runs",
	"mptcp/listener.go": "begins a connection before its loop runs",
}

// ClockReads reports where the session reads the clock outside the files given, and files given that do not.
func ClockReads(t *Tree, readers map[string]string) []string {
	var bad []string
	used := map[string]bool{}
	for _, f := range t.Go(func(f *File) bool { return !f.IsTest() && f.Dir() == "mptcp" }) {
		timeName := ""
		for _, im := range f.Imports() {
			if im.Path == "time" {
				timeName = im.Name
			}
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || timeName == "" || !slices.Contains(clock, sel.Sel.Name) {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); !ok || x.Name != timeName {
				return true
			}
			used[f.Path] = true
			if readers[f.Path] == "" {
				bad = append(bad, fmt.Sprintf("%s: time.%s outside the loop: take the time as an argument", t.at(n.Pos()), sel.Sel.Name))
			}
			return true
		})
	}
	for path := range readers {
		if !used[path] {
			bad = append(bad, fmt.Sprintf("%s: may read the clock and does not", path))
		}
	}
	return bad
}
