package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// Pure lists the packages that are machines: they are handed the time and their input, and say what to do. No
// goroutine, channel, lock, socket, clock or log, so that every run of them can be repeated exactly.
var Pure = []string{"transport/wire", "transport/tcp", "cc", "scheduler"}

// impureImports may not be imported by a pure package, nor anything below them.
var impureImports = []string{
	"sync", "net", "log", "os", "syscall", "context", "math/rand", "crypto/rand", "testing/synctest",
	"github.com/rs/zerolog", "golang.org/x/sys", "golang.org/x/net", "golang.org/x/sync",
}

// pureExceptions are below an impure path and yet only values.
var pureExceptions = []string{"net/netip"}

// clock lists what package time offers besides arithmetic.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

// Impure reports where a package of the list Pure is not.
func Impure(t *Tree) []string {
	var bad []string
	for _, f := range t.Go(func(f *File) bool { return !f.IsTest() && slices.Contains(Pure, f.Dir()) }) {
		timeName := ""
		for _, im := range f.Imports() {
			if isImpure(im.Path) {
				bad = append(bad, fmt.Sprintf("%s: pure package imports %s", t.at(im.Line), im.Path))
			}
			if im.Path == "time" {
				timeName = im.Name
			}
		}
		if timeName == "." {
			bad = append(bad, fmt.Sprintf("%s: pure package imports time with a dot, which hides the clock", f.Path))
		}
		bad = append(bad, t.impureNodes(f, timeName)...)
	}
	return bad
}

func isImpure(importPath string) bool {
	if slices.Contains(pureExceptions, importPath) {
		return false
	}
	return slices.ContainsFunc(impureImports, func(p string) bool { return under(importPath, p) })
}

// impureNodes walks one file for goroutines, channels and reads of the clock.
func (t *Tree) impureNodes(f *File, timeName string) []string {
	var bad []string
	add := func(p token.Pos, what string) {
		bad = append(bad, fmt.Sprintf("%s: pure package has %s", t.at(p), what))
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			add(n.Pos(), "a go statement")
		case *ast.ChanType:
			add(n.Pos(), "a channel")
		case *ast.SelectStmt:
			add(n.Pos(), "a select statement")
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && timeName != "" && x.Name == timeName && slices.Contains(clock, n.Sel.Name) {
				add(n.Pos(), "time."+n.Sel.Name+": take the time as an argument")
			}
		}
		return true
	})
	slices.SortStableFunc(bad, strings.Compare)
	return bad
}
