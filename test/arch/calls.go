package arch

import (
	"go/ast"
	"strings"
)

// calls says which functions a function mentions, by "folder.Name" without receivers. It is more than what is really
// called (any method of the name counts) and less across packages (methods of another package's types are not seen);
// good enough to notice a fuzz target that feeds something else.
type calls map[string]map[string]bool

func (t *Tree) calls() calls {
	c := calls{}
	for _, f := range t.Go(func(*File) bool { return true }) {
		imports := map[string]string{}
		for _, im := range f.Imports() {
			if dir, ok := im.Own(); ok {
				imports[im.Name] = dir
			} else if im.Path == "testing/synctest" {
				imports[im.Name] = im.Path // the one function of another module that rules ask for
			}
		}
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				c.add(f.Dir()+"."+fn.Name.Name, f.Dir(), imports, fn.Body)
			}
		}
	}
	return c
}

// add notes what body, of a function in dir, mentions.
func (c calls) add(key, dir string, imports map[string]string, body ast.Node) {
	if c[key] == nil {
		c[key] = map[string]bool{}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && imports[x.Name] != "" {
				c[key][imports[x.Name]+"."+n.Sel.Name] = true
			}
		case *ast.Ident:
			c[key][dir+"."+n.Name] = true
		}
		return true
	})
}

// reach tells whether from mentions to, directly or through others.
func (c calls) reach(from, to string) bool {
	goal := bare(to)
	seen := map[string]bool{}
	queue := []string{bare(from)}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if at == goal {
			return true
		}
		if seen[at] {
			continue
		}
		seen[at] = true
		for next := range c[at] {
			queue = append(queue, next)
		}
	}
	return false
}

// bare takes the receiver out of "folder.Type.Method".
func bare(key string) string {
	slash := strings.LastIndexByte(key, '/') + 1
	parts := strings.Split(key[slash:], ".")
	return key[:slash] + parts[0] + "." + parts[len(parts)-1]
}
