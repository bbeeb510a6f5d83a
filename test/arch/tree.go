package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Module is the import path of the repository's root.
const Module = "hawser"

// File is one file of the tree.
type File struct {
	Path   string    // slash-separated, relative to the root
	Source []byte    // its bytes
	AST    *ast.File // nil when it is not a Go file of this module
}

// Dir is the folder of the file, relative to the root: the package's import path without the module.
func (f *File) Dir() string { return path.Dir(f.Path) }

// IsTest tells whether the file is compiled for tests only.
func (f *File) IsTest() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Imports lists the import paths of a Go file and the names under which it uses them.
func (f *File) Imports() []Import {
	var is []Import
	for _, s := range f.AST.Imports {
		p, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			continue // the parser has refused such a file already
		}
		name := path.Base(p)
		if s.Name != nil {
			name = s.Name.Name
		}
		is = append(is, Import{Path: p, Name: name, Line: s.Path.Pos()})
	}
	return is
}

// Import is one import of a file.
type Import struct {
	Path string
	Name string // as used in the file; "." and "_" as they stand
	Line token.Pos
}

// Own gives the folder of a package of this module, and whether it is one.
func (i Import) Own() (dir string, ok bool) {
	return strings.CutPrefix(i.Path, Module+"/")
}

// Tree is everything the rules look at.
type Tree struct {
	Fset  *token.FileSet
	Files []*File // in the order of their paths
}

// Go yields the Go files of the module that satisfy keep.
func (t *Tree) Go(keep func(*File) bool) []*File {
	var fs []*File
	for _, f := range t.Files {
		if f.AST != nil && keep(f) {
			fs = append(fs, f)
		}
	}
	return fs
}

// at prints a place as an editor understands it.
func (t *Tree) at(p token.Pos) string {
	pos := t.Fset.Position(p)
	return fmt.Sprintf("%s:%d", pos.Filename, pos.Line)
}

// unread are the folders that hold no source: build output and what git keeps.
var unread = []string{".git", "bin", "coverage", "docker/build", "test/tools/bin"}

// textual are the endings of the files that people write; anything else (images, archives) is not read.
var textual = []string{".go", ".md", ".yml", ".yaml", ".sh", ".html", ".json", ".mod", ".conf", ".service"}

// Load reads the tree below root. Go files have to parse.
func Load(root fs.FS) (*Tree, error) {
	t := &Tree{Fset: token.NewFileSet()}
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(unread, p):
			return fs.SkipDir
		case !d.Type().IsRegular() || !isText(p):
			return nil
		}
		f := &File{Path: p}
		if f.Source, err = fs.ReadFile(root, p); err != nil {
			return err
		}
		if path.Ext(p) == ".go" && !strings.Contains(p, "testdata/") {
			f.AST, err = parser.ParseFile(t.Fset, p, f.Source, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return fmt.Errorf("arch: parse %s: %w", p, err)
			}
		}
		t.Files = append(t.Files, f)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("arch: load the tree: %w", err)
	}
	return t, nil
}

func isText(p string) bool {
	base := path.Base(p)
	return slices.Contains(textual, path.Ext(p)) || slices.Contains([]string{"Makefile", "Dockerfile", "run"}, base)
}

// under tells whether dir is root or below it.
func under(dir, root string) bool {
	return dir == root || strings.HasPrefix(dir, root+"/")
}
