//go:build !linux

package netlab

import "testing"

// NeedRoot skips the test: namespaces are Linux's.
func NeedRoot(tb testing.TB) {
	tb.Helper()
	tb.Skip("missing privilege: network namespaces need Linux")
}
