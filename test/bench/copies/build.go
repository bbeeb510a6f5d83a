package copies

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// counter is the variable that memmove adds to.
const counter = "copiedBytes"

// declaration puts the counter into the runtime.
const declaration = "package runtime\n\nvar " + counter + " uint64\n"

// entry is where memmove begins, with its arguments in registers (Go's internal ABI on amd64): CX is the length.
const entry = "TEXT runtime·memmove<ABIInternal>(SB), NOSPLIT, $0-24\n"

// count adds the length to the counter, whatever other threads do.
const count = "\tLOCK\n\tADDQ\tCX, runtime·" + counter + "(SB)\n"

// ErrUnknownRuntime is what instrument wraps about a runtime that it does not know.
var ErrUnknownRuntime = errors.New("copies: this Go's memmove is unknown")

// instrument puts the counting into the source of memmove.
func instrument(source string) (string, error) {
	if strings.Count(source, entry) != 1 {
		return "", fmt.Errorf("%w: adapt the entry that is looked for", ErrUnknownRuntime)
	}
	return strings.Replace(source, entry, entry+count, 1), nil
}

// Build builds a package of this module into the file program, with copies counted. The first time it builds the
// standard library anew.
func Build(ctx context.Context, pkg, program string) error {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("copies: they are counted on linux/amd64 only, this is %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	dir, err := os.MkdirTemp("", "hawser-copies-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(ctx, dir)
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", program, pkg).CombinedOutput()
	if err != nil {
		return fmt.Errorf("copies: build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// writeOverlay writes the changed runtime into dir and gives the file for -overlay.
func writeOverlay(ctx context.Context, dir string) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("copies: go env GOROOT: %w", err)
	}
	from := filepath.Join(strings.TrimSpace(string(root)), "src", "runtime")
	memmove := filepath.Join(from, "memmove_amd64.s")
	source, err := os.ReadFile(memmove)
	if err != nil {
		return "", fmt.Errorf("copies: %w", err)
	}
	changed, err := instrument(string(source))
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for original, text := range map[string]string{
		memmove:                                changed,
		filepath.Join(from, "copied_bytes.go"): declaration,
	} {
		file := filepath.Join(dir, filepath.Base(original))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("copies: %w", err)
		}
		replace[original] = file
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}
