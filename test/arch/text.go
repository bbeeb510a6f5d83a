package arch

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// unfinished matches the words by which people mark what they have left open.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`)

// machinePath matches an absolute path that exists on somebody's machine only.
var machinePath = regexp.MustCompile("(^|[\\s\"'`(=:,\\[])/(home|root|Users|work|farm|mnt)/[\\w.]")

// LeftOpen reports marks of unfinished work and absolute paths of a machine, in code, documents and scripts.
func LeftOpen(t *Tree) []string {
	var bad []string
	for _, f := range t.Files {
		for i, line := range bytes.Split(f.Source, []byte("\n")) {
			if m := unfinished.Find(line); m != nil {
				bad = append(bad, fmt.Sprintf("%s:%d: left open: %s", f.Path, i+1, m))
			}
			if m := machinePath.Find(line); m != nil {
				bad = append(bad, fmt.Sprintf("%s:%d: a path of one machine: %s…", f.Path, i+1, m))
			}
		}
	}
	return bad
}

// Unexplained reports packages whose files have no package comment, or one that does not begin as Go's tools expect.
func Unexplained(t *Tree) []string {
	names, doc := map[string]string{}, map[string]string{}
	for _, f := range t.Go(func(*File) bool { return true }) {
		name := strings.TrimSuffix(f.AST.Name.Name, "_test")
		names[f.Dir()] = name
		text := f.AST.Doc.Text()
		if strings.HasPrefix(text, "Package "+name+" ") || name == "main" && strings.HasPrefix(text, "Command "+path.Base(f.Dir())+" ") ||
			name == "main" && strings.HasPrefix(text, "Command "+Module+"-"+path.Base(f.Dir())+" ") {
			doc[f.Dir()] = text
		}
	}
	var bad []string
	for dir, name := range names {
		if doc[dir] == "" {
			bad = append(bad, fmt.Sprintf("%s: package %s has no package comment (doc.go) that begins with its name", dir, name))
		}
	}
	slices.Sort(bad)
	return bad
}
