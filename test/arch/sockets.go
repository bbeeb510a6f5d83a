package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// Socketless lists the packages that see the network only through what they are handed.
var Socketless = []string{"mptcp"}

// systemImports let a package reach the system past the floor below it.
var systemImports = []string{"syscall", "golang.org/x/sys", "os/exec"}

// Sockets reports where a package of the list Socketless opens a socket itself.
func Sockets(t *Tree) []string {
	var bad []string
	for _, f := range t.Go(func(f *File) bool { return !f.IsTest() && slices.Contains(Socketless, f.Dir()) }) {
		netName := ""
		for _, im := range f.Imports() {
			if slices.ContainsFunc(systemImports, func(p string) bool { return under(im.Path, p) }) {
				bad = append(bad, fmt.Sprintf("%s: %s imports %s, which reaches the system", t.at(im.Line), f.Dir(), im.Path))
			}
			if im.Path == "net" {
				netName = im.Name
			}
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || netName == "" {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if ok && x.Name == netName && opensSocket(sel.Sel.Name) {
				bad = append(bad, fmt.Sprintf("%s: %s uses net.%s: sockets are the carriers' business", t.at(n.Pos()), f.Dir(), sel.Sel.Name))
			}
			return true
		})
	}
	return bad
}

func opensSocket(name string) bool {
	return strings.HasPrefix(name, "Dial") ||
		strings.HasPrefix(name, "Listen") && !strings.HasPrefix(name, "Listener")
}
