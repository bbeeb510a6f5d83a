//go:build linux

package container

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// workspace is a copy of the checkout in which a user's commands run.
type workspace struct {
	dir   string
	env   []string          // beside the process's own
	edits *strings.Replacer // what differs from the document: ports and networks that are free here
	hold  *os.File          // the janitor waits until nobody has it open any more
}

// newWorkspace copies the sources, without what is built and without invites.
func newWorkspace(t *testing.T) *workspace {
	t.Helper()
	dir, err := os.MkdirTemp("", "hawser-test-") // the janitor removes it
	if err != nil {
		t.Fatal(err)
	}
	w := &workspace{dir: dir, edits: strings.NewReplacer()}
	src := os.DirFS(root)
	err = fs.WalkDir(src, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == ".git" || path == "bin" || path == "test/tools/bin":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return os.MkdirAll(filepath.Join(w.dir, path), 0o755)
		case !d.Type().IsRegular() || path == "docker/.env" || strings.HasSuffix(path, "invite.txt"):
			return nil
		}
		return copyFile(src, path, filepath.Join(w.dir, path))
	})
	if err != nil {
		t.Fatalf("copy the checkout: %v", err)
	}
	return w
}

func copyFile(src fs.FS, path, to string) error {
	in, err := src.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	return err
}

// show logs what commands print, when the test has failed.
func (w *workspace) show(t *testing.T, commands string) {
	t.Cleanup(func() {
		if t.Failed() {
			out, err := w.try(context.Background(), commands) // the test's own context has ended
			t.Log(out, err)
		}
	})
}

// with gives the workspace with more variables.
func (w *workspace) with(env ...string) *workspace {
	c := *w
	c.env = append(append([]string(nil), w.env...), env...)
	return &c
}

// try runs commands in a shell and gives what they print on standard output.
func (w *workspace) try(ctx context.Context, commands string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 6*time.Minute)
	defer cancel()
	commands = w.edits.Replace(strings.ReplaceAll(commands, "docker compose", compose()))
	cmd := exec.CommandContext(ctx, "sh", "-euc", commands)
	cmd.Dir = w.dir
	cmd.Env = append(machine(), w.env...)
	if w.hold != nil {
		cmd.ExtraFiles = []*os.File{w.hold}
	}
	var out, errOut strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w\n%s%s", commands, err, out.String(), errOut.String())
	}
	return out.String(), nil
}

// machine is the environment of this process without what would configure the files under test.
func machine() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "HAWSER_") || strings.HasPrefix(v, "COMPOSE_")
	})
}

// run is try for commands that have to succeed.
func (w *workspace) run(t *testing.T, commands string) string {
	t.Helper()
	began := time.Now()
	out, err := w.try(t.Context(), commands)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f s: %s", time.Since(began).Seconds(), strings.TrimSpace(commands))
	return strings.TrimSpace(out)
}
