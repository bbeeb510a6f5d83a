//go:build linux

package container

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// cleaning waits until the other end of its standard input is closed, which the kernel does when this process and the
// commands that it runs have ended, in whatever way. Then it removes everything of the projects, the image, the
// workspace, and what builds of earlier days have left.
const cleaning = `
read -r line || true
docker image prune -f --filter label=hawser.stage=build --filter until=24h
for p in $PROJECTS; do
	f=label=com.docker.compose.project=$p
	docker ps -aq --filter $f | xargs -r docker rm -fv
	docker network ls -q --filter $f | xargs -r docker network rm
	docker volume ls -q --filter $f | xargs -r docker volume rm -f
done
docker image ls -q "$IMAGE" | xargs -r docker image rm -f
rm -rf "$WORKSPACE"
`

// startJanitor has the projects, the image and the workspace removed when the test, or the process, ends.
func startJanitor(t *testing.T, w *workspace, image string, projects ...string) {
	t.Helper()
	end, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-uc", cleaning)
	cmd.Env = append(os.Environ(), "IMAGE="+image, "PROJECTS="+strings.Join(projects, " "), "WORKSPACE="+w.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C must not reach it
	cmd.Stdin = end                                      // and no pipe for what it prints: that would break with this process, and the commands with it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end.Close()
	w.hold = hold
	t.Cleanup(func() {
		hold.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
}

// leftovers lists what a project has left: containers, networks and volumes.
func leftovers(t *testing.T, w *workspace, project string) string {
	t.Helper()
	return w.with("F=label=com.docker.compose.project="+project).run(t,
		`docker ps -aq --filter $F; docker network ls -q --filter $F; docker volume ls -q --filter $F`)
}
