package arch

import (
	"bytes"
	"fmt"
	"go/ast"
)

// Limits of length. A file holds one concept, a function fits a screen; table tests are long and flat.
const (
	MaxFile     = 400 // lines
	MaxFunc     = 80  // lines, from func to the closing brace
	MaxTestFunc = 150 // lines
)

// Long lists what may be longer, with the reason: a path for a file, "path:Func" or "path:Type.Method" for a function.
type Long map[string]string

// TooLong reports files and functions over their limit that are not excused, and excuses that nothing needs.
func TooLong(t *Tree, excused Long) []string {
	var bad []string
	used := map[string]bool{}
	check := func(key, what string, lines, limit int) {
		if lines <= limit {
			return
		}
		if excused[key] != "" {
			used[key] = true
			return
		}
		bad = append(bad, fmt.Sprintf("%s: %s has %d lines, the limit is %d", key, what, lines, limit))
	}
	for _, f := range t.Go(func(*File) bool { return true }) {
		check(f.Path, "file", bytes.Count(f.Source, []byte("\n")), MaxFile)
		limit := MaxFunc
		if f.IsTest() {
			limit = MaxTestFunc
		}
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				lines := t.Fset.Position(fn.End()).Line - t.Fset.Position(fn.Pos()).Line + 1
				check(f.Path+":"+funcName(fn), "function", lines, limit)
			}
		}
	}
	for key := range excused {
		if !used[key] {
			bad = append(bad, fmt.Sprintf("%s: is excused from the limit of length and does not need it", key))
		}
	}
	return bad
}

// funcName is "Func" or "Type.Method".
func funcName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	if name := typeName(fn.Recv.List[0].Type); name != "" {
		return name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

// typeName finds the name below a pointer and type parameters.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
