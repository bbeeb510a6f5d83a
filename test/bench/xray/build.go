package xray

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Version of xray-core that is measured. The tag of a Go module spells release 26.3.27 so.
const Version = "v1.260327.0"

// Build gives the path of the program, which it builds into the user's cache directory when it is not there yet. That
// needs the module proxy once.
func Build(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("xray: a directory to build in: %w: set XDG_CACHE_HOME", err)
	}
	dir := filepath.Join(cache, "hawser-bench", "xray-"+Version)
	program := filepath.Join(dir, "main") // the name of the package's directory
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("xray: %w", err)
	}
	build := exec.CommandContext(ctx, "go", "install", "-trimpath", "github.com/xtls/xray-core/main@"+Version)
	build.Dir = dir // outside every module, so that none is consulted
	build.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("xray: xray-core %s cannot be built (%w): the Go module proxy has to be reachable once, see `go env GOPROXY`; or leave out the scenarios that compare with it\n%s",
			Version, err, out)
	}
	return program, nil
}
