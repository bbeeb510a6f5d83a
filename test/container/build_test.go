//go:build linux

package container

import (
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// moduleServer offers the module cache of this machine as a module proxy, so that a build needs no other network. It
// keeps to one port where it can, because the engine builds anew when a build argument has changed.
func moduleServer(t *testing.T) (url string) {
	t.Helper()
	download := exec.Command("go", "mod", "download")
	download.Dir = root
	if out, err := download.CombinedOutput(); err != nil {
		t.Fatalf("go mod download: %v\n%s", err, out)
	}
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:27443")
	if err != nil {
		ln, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(cache)), "cache", "download")
	srv := &http.Server{Handler: http.FileServer(http.Dir(dir))}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	t.Cleanup(func() {
		srv.Close()
		<-served
	})
	return "http://" + ln.Addr().String()
}

// builder gives the variables with which the Compose files build and run here.
func builder(t *testing.T, w *workspace) []string {
	t.Helper()
	goImage := lastLine(w.run(t, "make -s docker-builder"))
	env := []string{"GO_IMAGE=" + goImage, "GOPROXY=" + moduleServer(t), "HAWSER_BUILD_NETWORK=host"}
	if strings.HasPrefix(goImage, "hawser-") {
		env = append(env, "HAWSER_DEMO_TARGET="+goImage) // the stand-in is a busybox, too
	}
	return env
}
