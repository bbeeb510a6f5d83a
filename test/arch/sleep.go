package arch

import (
	"fmt"
	"go/ast"
)

// Sleeps reports tests that sleep in real time. A test waits for an event, or runs in a synctest bubble where sleeping
// costs nothing. Packages below test/ are exempt: there, time passes in real networks.
func Sleeps(t *Tree) []string {
	var bad []string
	for _, f := range t.Go(func(f *File) bool { return f.IsTest() && !under(f.Dir(), "test") }) {
		timeName, bubble := "", false
		for _, im := range f.Imports() {
			switch im.Path {
			case "time":
				timeName = im.Name
			case "testing/synctest":
				bubble = true
			}
		}
		if bubble || timeName == "" {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == timeName && sel.Sel.Name == "Sleep" {
				bad = append(bad, fmt.Sprintf("%s: test sleeps in real time: wait for an event or use testing/synctest", t.at(n.Pos())))
			}
			return true
		})
	}
	return bad
}
