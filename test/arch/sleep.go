package arch

import (
	"fmt"
	"go/ast"
	"regexp"
)

// synctestTest is what makes a bubble, in which sleeping costs nothing.
const synctestTest = "testing/synctest.Test"

// rootName matches what the go command runs by itself.
var rootName = regexp.MustCompile(`^(Test|Fuzz|Benchmark|Example)`)

// Sleeps reports tests that sleep in real time: a sleep in a test file that no test with a synctest bubble reaches. Such
// a test has to wait for an event. Packages below test/ are exempt: there, time passes in real networks.
func Sleeps(t *Tree) []string {
	var bad []string
	calls := t.calls()
	for _, f := range t.Go(func(f *File) bool { return f.IsTest() && !under(f.Dir(), "test") }) {
		for _, d := range f.AST.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil || !sleeps(f, fn) {
				continue
			}
			if !t.inBubble(f.Dir(), fn.Name.Name, calls) {
				bad = append(bad, fmt.Sprintf("%s: %s sleeps in real time: wait for an event or use testing/synctest", t.at(fn.Pos()), fn.Name.Name))
			}
		}
	}
	return bad
}

// sleeps tells whether a function calls time.Sleep.
func sleeps(f *File, fn *ast.FuncDecl) bool {
	timeName := ""
	for _, im := range f.Imports() {
		if im.Path == "time" {
			timeName = im.Name
		}
	}
	found := false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
			x, ok := sel.X.(*ast.Ident)
			found = found || ok && timeName != "" && x.Name == timeName
		}
		return !found
	})
	return found
}

// inBubble tells whether some test of dir makes a bubble and reaches the function.
func (t *Tree) inBubble(dir, function string, calls calls) bool {
	for _, f := range t.Go(func(f *File) bool { return f.IsTest() && f.Dir() == dir }) {
		for _, d := range f.AST.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !rootName.MatchString(fn.Name.Name) {
				continue
			}
			root := dir + "." + fn.Name.Name
			if calls.reach(root, synctestTest) && calls.reach(root, dir+"."+function) {
				return true
			}
		}
	}
	return false
}
