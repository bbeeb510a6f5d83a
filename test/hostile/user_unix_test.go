//go:build unix

package hostile

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is a user without privileges.
const nobody = 65534

// asNobody makes a case run as a user who may not read what root may; files below its directory stay as they are,
// the way to them is opened. Whoever runs the tests without being root is such a user already.
func asNobody(t *testing.T, f *files) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	for dir := f.Dir; dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(f.File("server"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.options.Set = func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}
