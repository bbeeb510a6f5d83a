//go:build linux

package container

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"hawser/proxy/admin"
)

// status asks a client's container for its status. It exits with 1 when something is degraded, which is no failure here.
func status(ctx context.Context, container string) (admin.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var s admin.Status
	out, err := exec.CommandContext(ctx, "docker", "exec", container, "hawser-client", "status", "--json").Output()
	if len(out) == 0 {
		return s, fmt.Errorf("status of %s: %w", container, err)
	}
	if err := json.Unmarshal(out, &s); err != nil {
		return s, fmt.Errorf("status of %s: %w: %q", container, err, out)
	}
	return s, nil
}

// uplinks gives the uplinks of a client by name.
func uplinks(t *testing.T, container string) map[string]admin.Uplink {
	t.Helper()
	s, err := status(t.Context(), container)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]admin.Uplink{}
	for _, u := range s.Uplinks {
		m[u.Name] = u
	}
	return m
}

// awaitUplinks waits until each of the uplinks named is up.
func awaitUplinks(t *testing.T, container string, names ...string) {
	t.Helper()
	eventually(t, "uplinks are up", 30*time.Second, func() error {
		have := uplinks(t, container)
		for _, name := range names {
			if u := have[name]; u.State != admin.UplinkUp {
				return fmt.Errorf("uplink %s is %q: %s", name, u.State, u.Reason)
			}
		}
		return nil
	})
}

// awaitHealthy waits for the engine's verdict, which comes from the health check of the Compose file.
func awaitHealthy(t *testing.T, w *workspace, container string) {
	t.Helper()
	eventually(t, "healthy", time.Minute, func() error {
		out, err := w.try(t.Context(), "docker inspect -f '{{.State.Health.Status}} {{range .State.Health.Log}}{{.Output}}{{end}}' "+container)
		if err != nil || len(out) < 8 || out[:8] != "healthy " {
			return fmt.Errorf("the engine says %q, error %v", out, err)
		}
		return nil
	})
}
