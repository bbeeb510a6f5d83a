//go:build linux

package container

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// compose finds out how Compose is called here: as a plugin, or as a program of its own.
var compose = sync.OnceValue(func() string {
	if exec.Command("docker", "compose", "version").Run() == nil {
		return "docker compose"
	}
	if exec.Command("docker-compose", "version").Run() == nil {
		return "docker-compose"
	}
	return ""
})

// needEngine skips the test where no container can run; with CI=true it fails it.
func needEngine(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	reason := ""
	if out, err := exec.CommandContext(ctx, "docker", "info").CombinedOutput(); err != nil {
		reason = "needs Docker: docker info: " + err.Error() + ": " + lastLine(string(out))
	} else if compose() == "" {
		reason = "needs Docker Compose: neither docker compose nor docker-compose is there"
	}
	switch {
	case reason == "":
	case os.Getenv("CI") == "true":
		t.Fatal(reason)
	default:
		t.Skip(reason)
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// eventually waits until check gives no error, and fails the test with its last one when that takes too long.
func eventually(t *testing.T, what string, patience time.Duration, check func() error) {
	t.Helper()
	end := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: not after %s: %v", what, patience, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
