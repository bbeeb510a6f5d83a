package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hawser/proxy/admin"
)

// program is what a running server shows.
type program struct{}

func (program) Status() admin.Status    { return admin.Status{Version: "1", Role: admin.RoleServer} }
func (program) Healthy() (bool, string) { return true, "" }

func TestStatusAndHealthcheckNeedNoReadableKey(t *testing.T) {
	place := machine(t)
	want(t, place, "status", 2, "", "no configuration file: tried ")
	want(t, place, "healthcheck", 1, "", "no configuration file: tried ")
	want(t, place, "init --dir . --address vps.example.net", 0, "…", "")
	if err := os.Remove(filepath.Join(place.Dir, "server.key")); err != nil {
		t.Fatal(err)
	}
	s, err := admin.Listen(admin.Config{Address: "127.0.0.1:0"}, program{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	place.Environ = []string{"HAWSER_ADMIN=" + s.Addr().String()}
	want(t, place, "healthcheck", 0, "", "")
	if out := want(t, place, "status --json", 0, "…", ""); !strings.HasPrefix(out, `{"version":"1","role":"server"`) {
		t.Errorf("output %q", out)
	}
	t.Log("# after its end it is not reachable")
	if err := errors.Join(s.Close(), <-ended); err != nil {
		t.Fatal(err)
	}
	want(t, place, "status", 2, "", "is the program running?")
	want(t, place, "healthcheck", 1, "", "is the program running?")
	want(t, place, "healthcheck stray", 2, "", "see: hawser-server healthcheck --help")
}
