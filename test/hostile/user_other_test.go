//go:build !unix

package hostile

import "testing"

// asNobody skips: there is no mode that keeps an administrator from a file.
func asNobody(t *testing.T, _ *files) {
	t.Helper()
	t.Skip("missing privilege: another user to run as")
}
