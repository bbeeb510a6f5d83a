package arch

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

// Facing lists the folders whose packages meet bytes from the network.
var Facing = []string{"transport", "mptcp", "proxy"}

var (
	parserName = regexp.MustCompile(`^([Cc]onsume|[Pp]arse|[Dd]ecode|[Uu]nmarshal)([A-Z0-9].*)?$`)
	readerName = regexp.MustCompile(`^[Rr]ead[A-Z].*$`)
)

// Unfuzzed compares the functions that look like parsers of network input with the registry: each has to be in it,
// with a fuzz target that reaches it or the reason why it needs none; and the registry may hold nothing that is gone.
func Unfuzzed(t *Tree, registry []Parser) []string {
	var bad []string
	calls, places := t.calls(), t.functions()
	known := map[string]bool{}
	for _, p := range registry {
		known[p.Func] = true
		switch {
		case places[p.Func] == "":
			bad = append(bad, fmt.Sprintf("%s: is listed as a parser and does not exist", p.Func))
		case (p.Target == "") == (p.Trusted == ""):
			bad = append(bad, fmt.Sprintf("%s: needs either a fuzz target or a reason", p.Func))
		case p.Trusted != "":
		case places[p.Target] == "" || !strings.Contains(p.Target, ".Fuzz"):
			bad = append(bad, fmt.Sprintf("%s: its fuzz target %s does not exist", p.Func, p.Target))
		case !calls.reach(p.Target, p.Func):
			bad = append(bad, fmt.Sprintf("%s: its fuzz target %s does not reach it", p.Func, p.Target))
		}
	}
	for _, f := range t.Go(func(f *File) bool { return !f.IsTest() && facing(f.Dir()) }) {
		for _, d := range f.AST.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !looksLikeParser(fn) {
				continue
			}
			if key := f.Dir() + "." + funcName(fn); !known[key] {
				bad = append(bad, fmt.Sprintf("%s: %s parses input and is not in the registry of parsers (test/arch/parsers.go)", t.at(fn.Pos()), key))
			}
		}
	}
	return bad
}

func facing(dir string) bool {
	return slices.ContainsFunc(Facing, func(root string) bool { return under(dir, root) })
}

// looksLikeParser goes by name and parameters. Read… functions count when they are handed a reader, or have nothing
// but their receiver to read from and something to return: the bytes of Read(p []byte) are output.
func looksLikeParser(fn *ast.FuncDecl) bool {
	switch name := fn.Name.Name; {
	case parserName.MatchString(name):
		return fn.Recv != nil || hasParam(fn, "[]byte", "string", "Reader", "Conn")
	case readerName.MatchString(name):
		bare := fn.Recv != nil && fn.Type.Params.NumFields() == 0 && fn.Type.Results.NumFields() > 1
		return bare || hasParam(fn, "Reader", "Conn")
	}
	return false
}

// hasParam tells whether a parameter's type is one of kinds, by the end of its printed name.
func hasParam(fn *ast.FuncDecl, kinds ...string) bool {
	return slices.ContainsFunc(fn.Type.Params.List, func(p *ast.Field) bool {
		return slices.ContainsFunc(kinds, func(k string) bool { return strings.HasSuffix(printed(p.Type), k) })
	})
}

// printed renders the types that parameters of parsers have.
func printed(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return "*" + printed(e.X)
	case *ast.SelectorExpr:
		return printed(e.X) + "." + e.Sel.Name
	case *ast.ArrayType:
		if e.Len == nil {
			return "[]" + printed(e.Elt)
		}
	}
	return ""
}

// functions maps "folder.Func" and "folder.Type.Method" to where it stands.
func (t *Tree) functions() map[string]string {
	m := map[string]string{}
	for _, f := range t.Go(func(*File) bool { return true }) {
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				m[f.Dir()+"."+funcName(fn)] = t.at(fn.Pos())
			}
		}
	}
	return m
}

// Target is a fuzz target.
type Target struct{ Dir, Name string }

// FuzzTargets lists the fuzz targets of the tree in the order of their files.
func FuzzTargets(t *Tree) []Target {
	var ts []Target
	for _, f := range t.Go((*File).IsTest) {
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Fuzz") {
				ts = append(ts, Target{Dir: f.Dir(), Name: fn.Name.Name})
			}
		}
	}
	return ts
}
