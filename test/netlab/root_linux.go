package netlab

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// NeedRoot skips the test, with the reason, where the privileges for a lab are missing. With CI=true it fails instead.
func NeedRoot(tb testing.TB) {
	tb.Helper()
	err := privileged()
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		tb.Fatalf("missing privilege: %v", err)
	}
	tb.Skipf("missing privilege: %v", err)
}

// privileged tells what keeps this process from making a lab.
func privileged() error {
	if uid := os.Geteuid(); uid != 0 {
		return fmt.Errorf("uid %d cannot make network namespaces: run as root", uid)
	}
	err := detour(func() error { return unix.Unshare(unix.CLONE_NEWNET) })
	if err != nil {
		return fmt.Errorf("network namespaces are not allowed here, although uid is 0: %w: grant CAP_SYS_ADMIN", err)
	}
	return nil
}
