//go:build linux

package container

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

// TestCompose builds the image and runs the Compose files with the real engine.
func TestCompose(t *testing.T) {
	needEngine(t)
	name := fmt.Sprintf("hawser-test-%d", os.Getpid())
	demo, server, client := name+"-demo", name+"-server", name+"-client"
	w := newWorkspace(t)
	startJanitor(t, w, name, demo, server, client)
	w.env = append(builder(t, w), "HAWSER_IMAGE="+name)
	w.with("HAWSER_PUBLIC_ADDRESSES=192.0.2.1").run(t, `for f in docker/compose.*.yaml; do docker compose -f $f config -q; done`)

	g := readGuide(t, "Try it on one machine")
	g.take(t, "export COMPOSE_FILE=docker/compose.demo.yaml") // its variables are the workspace's
	start := g.take(t, "docker compose build")
	if !t.Run("demo", func(t *testing.T) {
		network := freeNetwork(t)
		w := w.with("COMPOSE_FILE=docker/compose.demo.yaml", "COMPOSE_PROJECT_NAME="+demo, "HAWSER_DEMO_NET="+network,
			"HAWSER_DEMO_PORT=0", fmt.Sprintf("HAWSER_DEMO_BYTES=%d", demoBytes))
		w.edits = strings.NewReplacer("10.213", network)
		w.run(t, start)
		walkThrough(t, w, g, demo)
	}) {
		return // without an image there is nothing more to try
	}
	t.Run("server and client", func(t *testing.T) {
		serveAtHome(t, w.with("COMPOSE_PROJECT_NAME="+server, "COMPOSE_FILE=docker/compose.server.yaml"),
			w.with("COMPOSE_PROJECT_NAME="+client, "COMPOSE_FILE=docker/compose.client.yaml"), server)
	})
}

// freeNetwork gives the first two numbers of networks that this machine does not have.
func freeNetwork(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for n := 213; n < 250; n++ {
		prefix := fmt.Sprintf("10.%d", n)
		taken := false
		for _, a := range addrs {
			taken = taken || strings.HasPrefix(a.String(), prefix+".")
		}
		if !taken {
			return prefix
		}
	}
	t.Fatal("this machine has all of the networks 10.213 to 10.249")
	return ""
}

// freePort gives a port of 127.0.0.1 that is free now.
func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}
