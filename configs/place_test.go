package configs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newPlace makes a machine of the test's own, with an empty home and an empty system directory.
func newPlace(t *testing.T, environ ...string) Place {
	t.Helper()
	dir := t.TempDir()
	p := Place{Environ: environ, Home: filepath.Join(dir, "home"), Dir: filepath.Join(dir, "work"), Root: filepath.Join(dir, "root")}
	for _, d := range []string{p.Home, p.Dir, p.Root} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// write makes a file with the directories that it needs.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// read gives a file's text.
func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wantError wants an error whose text holds each of the parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q\nlacks %q", err, part)
		}
	}
}

// wantConfigError wants an error of the configuration whose text holds each of the parts.
func wantConfigError(t *testing.T, err error, parts ...string) {
	t.Helper()
	wantError(t, err, parts...)
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("error %q is no *Error", err)
	}
}

func TestFileIsLookedForInOrder(t *testing.T) {
	p := newPlace(t)
	xdg := filepath.Join(p.Home, "xdg")
	steps := []struct {
		name, path string
		environ    []string
		flag       string
	}{
		{name: "/etc/hawser", path: filepath.Join(p.Root, "etc/hawser/client.yaml")},
		{name: "~/.config/hawser", path: filepath.Join(p.Home, ".config/hawser/client.yaml")},
		{name: "$XDG_CONFIG_HOME/hawser", path: filepath.Join(xdg, "hawser/client.yaml"), environ: []string{"XDG_CONFIG_HOME=" + xdg}},
		{name: "the working directory", path: filepath.Join(p.Dir, "client.yaml"), environ: []string{"XDG_CONFIG_HOME=" + xdg}},
		{name: "HAWSER_CONFIG", path: filepath.Join(p.Dir, "env.yaml"), environ: []string{"HAWSER_CONFIG=env.yaml"}},
		{name: "-c", path: filepath.Join(p.Dir, "flag.yaml"), environ: []string{"HAWSER_CONFIG=env.yaml"}, flag: "flag.yaml"},
	}
	for _, step := range steps { // each finds its file although all those of the steps before are there
		t.Logf("# %s", step.name)
		write(t, step.path, "{}")
		p.Environ = step.environ
		if got, err := p.find(step.flag, "client.yaml"); err != nil || got != step.path {
			t.Errorf("found %q, %v, want %q", got, err, step.path)
		}
	}
}

func TestRelativeXDGDirectoryIsIgnored(t *testing.T) {
	p := newPlace(t, "XDG_CONFIG_HOME=relative")
	if got, want := p.userDir(), filepath.Join(p.Home, ".config/hawser"); got != want {
		t.Errorf("user's directory %q, want %q", got, want)
	}
}

func TestErrorWithoutFileListsWhatWasTried(t *testing.T) {
	p := newPlace(t)
	_, err := LoadServer(p, Options{})
	wantConfigError(t, err, "no configuration file: tried ",
		filepath.Join(p.Dir, "server.yaml"), filepath.Join(p.Home, ".config/hawser/server.yaml"),
		filepath.Join(p.Root, "etc/hawser/server.yaml"), "-c or HAWSER_CONFIG")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the error does not wrap fs.ErrNotExist")
	}
}

func TestNamedFileThatIsMissingIsAnError(t *testing.T) {
	p := newPlace(t)
	write(t, filepath.Join(p.Dir, "client.yaml"), "{}")
	_, err := LoadClient(p, Options{File: "other.yaml"})
	wantConfigError(t, err, "other.yaml", "no such file")
}

func TestDefaultDirectory(t *testing.T) {
	p := newPlace(t)
	if got, want := p.DefaultDir(), filepath.Join(p.Home, ".config/hawser"); got != want {
		t.Errorf("for a user %q, want %q", got, want)
	}
	p.Superuser = true
	if got, want := p.DefaultDir(), filepath.Join(p.Root, "etc/hawser"); got != want {
		t.Errorf("for root %q, want %q", got, want)
	}
	p.Superuser, p.Home = false, ""
	if got, want := p.DefaultDir(), filepath.Join(p.Root, "etc/hawser"); got != want {
		t.Errorf("without a home %q, want %q", got, want)
	}
}

func TestTooLargeFileIsRefused(t *testing.T) {
	p := newPlace(t)
	file := write(t, filepath.Join(p.Dir, "server.yaml"), strings.Repeat("#", maxConfigFile+1))
	_, err := LoadServer(p, Options{})
	wantConfigError(t, err, file, "too large")
}
