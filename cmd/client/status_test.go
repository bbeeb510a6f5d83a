package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"hawser/proxy/admin"
)

// program is what a running client shows.
type program struct {
	status admin.Status
	sick   string
}

func (p program) Status() admin.Status    { return p.status }
func (p program) Healthy() (bool, string) { return p.sick == "", p.sick }

// serve shows p on a free port until the test ends.
func serve(t *testing.T, p program) (address string) {
	t.Helper()
	s, err := admin.Listen(admin.Config{Address: "127.0.0.1:0"}, p)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-ended); err != nil {
			t.Error(err)
		}
	})
	return s.Addr().String()
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// up is a client that is well.
func up() admin.Status {
	return admin.Status{
		Version: "1", Role: admin.RoleClient,
		Uplinks:  []admin.Uplink{{Name: "dsl", State: admin.UplinkUp}},
		Sessions: []admin.Session{{ID: "s1", State: admin.SessionEstablished}},
	}
}

func TestStatusAndHealthcheckTellByTheirExitStatus(t *testing.T) {
	lame := up()
	lame.Uplinks[0].State, lame.Uplinks[0].Reason = admin.UplinkDown, "no link"
	tests := []struct {
		name           string
		address        string
		status, health int
		errs, sick     string
	}{
		{"healthy", serve(t, program{status: up()}), 0, 0, "", ""},
		{"degraded", serve(t, program{status: lame}), 1, 0, "degraded: uplink dsl is down: no link", ""},
		{"unhealthy", serve(t, program{status: up(), sick: "no uplink works"}), 1, 1, "no uplink works", "no uplink works"},
		{"not reachable", closedPort(t), 2, 1, "is the program running?", "is the program running?"},
		{"switched off", "", 2, 1, "the admin port is off", "the admin port is off"},
		{"wrong", "nonsense", 2, 1, "HAWSER_ADMIN", "HAWSER_ADMIN"},
	}
	for _, test := range tests {
		t.Log("#", test.name)
		place := machine(t, "HAWSER_ADMIN="+test.address)
		want(t, place, "", "status", test.status, "…", test.errs)
		want(t, place, "", "status --json", test.status, "…", test.errs)
		want(t, place, "", "healthcheck", test.health, "", test.sick)
	}
	want(t, machine(t), "", "status stray", 2, "", "see: hawser-client status --help")
	want(t, machine(t), "", "healthcheck --stray", 2, "", "see: hawser-client healthcheck --help")
}

func TestStatusPrintsTheAnswerOfTheAPI(t *testing.T) {
	place := machine(t, "HAWSER_ADMIN="+serve(t, program{status: up()}))
	if out := want(t, place, "", "status --json", 0, "…", ""); !strings.HasPrefix(out, `{"version":"1","role":"client"`) || strings.Count(out, "\n") != 1 {
		t.Errorf("output %q, want one line of JSON", out)
	}
	if out := want(t, place, "", "status", 0, "…", ""); !strings.Contains(out, "dsl") || !strings.Contains(out, "established") {
		t.Errorf("output %q, want a table", out)
	}
}

func TestStatusNeedsNoReadableKey(t *testing.T) {
	place := machine(t)
	want(t, place, newInvite(), "join --dir . -", 0, "…", "")
	key := filepath.Join(place.Dir, "client.key")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	place.Environ = []string{"HAWSER_ADMIN=" + serve(t, program{status: up()})}
	want(t, place, "", "healthcheck", 0, "", "")
	want(t, place, "", "status", 0, "…", "")
	if runtime.GOOS != "windows" {
		t.Log("# nor does a key that others may read matter here")
		if err := os.WriteFile(key, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		want(t, place, "", "status", 0, "…", "")
	}
}
