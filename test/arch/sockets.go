package arch

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

// Socketless lists the packages that see the network only through what they are handed.
var Socketless = []string{"mptcp"}

// systemImports let a package reach the system past the floor below it.
var systemImports = []string{"golang.org/x/sys", "os/exec"}

// errno matches what may be used of package syscall: the error values that net's own connections return.
var errno = regexp.MustCompile(`^(E[A-Z0-9]+|Errno)$`)

// Sockets reports where a package of the list Socketless opens a socket itself.
func Sockets(t *Tree) []string {
	var bad []string
	for _, f := range t.Go(func(f *File) bool { return !f.IsTest() && slices.Contains(Socketless, f.Dir()) }) {
		names := map[string]string{}
		for _, im := range f.Imports() {
			names[im.Name] = im.Path
			if slices.ContainsFunc(systemImports, func(p string) bool { return under(im.Path, p) }) {
				bad = append(bad, fmt.Sprintf("%s: %s imports %s, which reaches the system", t.at(im.Line), f.Dir(), im.Path))
			}
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if ok && opensSocket(names[x.Name], sel.Sel.Name) {
				bad = append(bad, fmt.Sprintf("%s: %s uses %s.%s: sockets are the carriers' business", t.at(n.Pos()), f.Dir(), x.Name, sel.Sel.Name))
			}
			return true
		})
	}
	return bad
}

// opensSocket tells whether name of a package opens sockets or leads to what does.
func opensSocket(pkg, name string) bool {
	switch pkg {
	case "net":
		return strings.HasPrefix(name, "Dial") || strings.HasPrefix(name, "Listen") && name != "Listener"
	case "syscall":
		return !errno.MatchString(name)
	}
	return false
}
