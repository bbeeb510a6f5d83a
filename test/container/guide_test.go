//go:build linux

package container

import (
	"os"
	"strings"
	"testing"
)

// guide holds the blocks of shell commands of one section of docs/docker.md.
type guide struct {
	section string
	blocks  []string
}

// readGuide reads the section with the heading given.
func readGuide(t *testing.T, heading string) guide {
	t.Helper()
	text, err := os.ReadFile(root + "/docs/docker.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("docs/docker.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	g := guide{section: heading}
	for {
		_, after, ok := strings.Cut(section, "\n```sh\n")
		if !ok {
			return g
		}
		block, rest, ok := strings.Cut(after, "\n```")
		if !ok {
			t.Fatalf("docs/docker.md: section %q has a block without an end", heading)
		}
		g.blocks = append(g.blocks, block)
		section = rest
	}
}

// take gives the first block and removes it; it has to hold the text given, so that test and document stay together.
func (g *guide) take(t *testing.T, holds string) string {
	t.Helper()
	if len(g.blocks) == 0 {
		t.Fatalf("docs/docker.md: section %q ends before the block with %q", g.section, holds)
	}
	block := g.blocks[0]
	if !strings.Contains(block, holds) {
		t.Fatalf("docs/docker.md: section %q: the next block has no %q; let the test follow the document:\n%s", g.section, holds, block)
	}
	g.blocks = g.blocks[1:]
	return block
}
