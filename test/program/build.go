package program

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// The programs' names, as Start, Run and Path take them.
const (
	Client = "hawser-client"
	Server = "hawser-server"
)

// Main runs a package's tests and removes what was built for them. Call it from TestMain.
func Main(m *testing.M) int {
	status := m.Run()
	if err := Clean(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}

var built struct {
	sync.Mutex
	dir string
	err error
}

// Path is where a program lies; the first call builds both.
func Path(tb testing.TB, name string) string {
	tb.Helper()
	built.Lock()
	defer built.Unlock()
	if built.dir == "" && built.err == nil {
		built.dir, built.err = build()
	}
	if built.err != nil {
		tb.Fatal(built.err)
	}
	return filepath.Join(built.dir, name+suffix())
}

// Clean removes what Path has built. Programs that have no TestMain call it at their end.
func Clean() error {
	built.Lock()
	defer built.Unlock()
	dir := built.dir
	built.dir, built.err = "", nil
	if dir == "" {
		return nil
	}
	return os.RemoveAll(dir)
}

// build makes both programs in a new directory that every user may read, because tests run them as others.
func build() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "hawser-programs-"); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if err = os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	for name, pkg := range map[string]string{Client: "hawser/cmd/client", Server: "hawser/cmd/server"} {
		file := filepath.Join(dir, name+suffix())
		if out, err := exec.Command("go", "build", "-trimpath", "-o", file, pkg).CombinedOutput(); err != nil {
			return "", fmt.Errorf("program: build %s: %w\n%s", name, err, out)
		}
	}
	return dir, nil
}

func suffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}
