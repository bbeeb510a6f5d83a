//go:build linux

package container

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// greeting is what the target of the pair answers.
const greeting = "hello from behind the server"

// serveAtHome runs the two files for real use. Their way to each other is the bridge of the server's network, which the
// client, in the host's network, names as its uplink.
func serveAtHome(t *testing.T, server, client *workspace, project string) {
	server = server.with("HAWSER_PUBLIC_ADDRESSES=127.0.0.1", fmt.Sprintf("HAWSER_PORT=%d", freePort(t)),
		"HAWSER_EGRESS_ALLOW=10.0.0.0/8,172.16.0.0/12,192.168.0.0/16")
	server.run(t, "docker compose up -d")
	id := server.run(t, "docker compose ps -q server")
	awaitHealthy(t, server, id)

	where := strings.Fields(server.run(t, "docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}} {{.NetworkID}}{{end}}' "+id))
	if len(where) != 3 {
		t.Fatalf("the server's network is %q", where)
	}
	address, gateway, bridge := where[0], where[1], "br-"+where[2][:12]

	invite := server.run(t, "docker compose exec -T -e HAWSER_PUBLIC_ADDRESSES="+address+
		" -e HAWSER_PUBLIC_PLAIN_PORT=7444 server hawser-server invite home")
	if err := os.WriteFile(filepath.Join(client.dir, "docker", "invite.txt"), []byte(invite+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	client = client.with("HAWSER_UPLINKS="+bridge, "HAWSER_LISTEN="+proxy, fmt.Sprintf("HAWSER_ADMIN=127.0.0.1:%d", freePort(t)))
	client.show(t, "docker compose logs -t --tail=40 2>&1")
	server.show(t, "docker compose logs -t --tail=40 2>&1")
	client.run(t, "docker compose up -d")
	awaitHealthy(t, client, client.run(t, "docker compose ps -q client"))
	target := greeter(t, gateway)
	eventually(t, "an answer through both", 20*time.Second, func() error {
		got, err := fetch(t.Context(), proxy, "http://"+target+"/")
		if err == nil && got != greeting {
			err = fmt.Errorf("the answer is %q", got)
		}
		return err
	})

	// CAP_NET_RAW is capability 13 (linux/capability.h).
	isConfined(t, server, id, "65532", "0000000000000000")
	isConfined(t, client, client.run(t, "docker compose ps -q client"), "0", "0000000000002000")

	client.run(t, "docker compose down -v")
	server.run(t, "docker compose down -v")
	if left := leftovers(t, server, project); left != "" {
		t.Errorf("after down -v there are still: %s", left)
	}
}

// greeter serves the greeting on an address of the host and gives where.
func greeter(t *testing.T, address string) string {
	t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, greeting)
	})}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	t.Cleanup(func() {
		srv.Close()
		<-served
	})
	return ln.Addr().String()
}

// isConfined compares what the kernel says of a container's process with what docs/docker.md says.
func isConfined(t *testing.T, w *workspace, container, uid, capabilities string) {
	t.Helper()
	of := strings.Fields(w.run(t, "docker inspect -f '{{.State.Pid}} {{.HostConfig.ReadonlyRootfs}}' "+container))
	if of[1] != "true" {
		t.Errorf("%s: the file system is not read-only", container)
	}
	text, err := os.ReadFile("/proc/" + of[0] + "/status")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Uid": uid, "CapBnd": capabilities, "NoNewPrivs": "1"}
	if uid == "0" {
		want["CapEff"] = capabilities
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		if expected, ok := want[key]; ok && strings.Fields(value)[0] != expected {
			t.Errorf("%s: %s is %s, want %s", container, key, strings.TrimSpace(value), expected)
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("%s: the kernel does not say %v", container, want)
	}
}
