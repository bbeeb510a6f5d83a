package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hawser/configs"
	"hawser/proxy/cli"
)

// machine makes a place of the test's own.
func machine(t *testing.T, environ ...string) configs.Place {
	t.Helper()
	dir := t.TempDir()
	return configs.Place{Environ: environ, Home: filepath.Join(dir, "home"), Dir: dir, Root: filepath.Join(dir, "root")}
}

// newInvite makes an invite as a server would.
func newInvite() string {
	return configs.Invite{
		Name: "home", Key: configs.NewPrivateKey(), Server: configs.NewPrivateKey().Public(),
		Addresses: []string{"vps.example.net"}, RawPort: 7443, PlainPort: 7444,
	}.Encode()
}

// want runs hawser-client and wants a status, all of standard output ("…" for anything) and a part of standard error.
func want(t *testing.T, place configs.Place, stdin, line string, status int, out, errs string) string {
	t.Helper()
	var o, e bytes.Buffer
	root := newRootCommand(place)
	root.SetArgs(strings.Fields(line))
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&o)
	root.SetErr(&e)
	got := cli.Execute(t.Context(), root)
	if got != status || out != "…" && o.String() != out || !strings.Contains(e.String(), errs) || errs == "" && e.Len() > 0 {
		t.Errorf("hawser-client %s\nstatus %d, want %d\noutput %q, want %q\nerrors %q, want %q", line, got, status, &o, out, &e, errs)
	}
	return o.String()
}

func TestJoin(t *testing.T) {
	invite := newInvite()
	place := machine(t)
	file := filepath.Join(place.Dir, "invite.txt")
	if err := os.WriteFile(file, []byte(invite+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wrote := func(dir string) string {
		return "wrote " + filepath.Join(dir, "client.yaml") + "\nwrote " + filepath.Join(dir, "client.key") + "\n"
	}
	want(t, place, "", "join --dir a "+invite, 0, wrote(filepath.Join(place.Dir, "a")), "")
	want(t, place, invite, "join --dir b -", 0, wrote(filepath.Join(place.Dir, "b")), "")
	want(t, place, "", "join", 2, "", "invite: is missing: give it as an argument")
	place.Environ = []string{"HAWSER_INVITE_FILE=" + file}
	want(t, place, "", "join", 0, wrote(place.DefaultDir()), "")
	place.Environ = []string{"HAWSER_INVITE=" + invite}
	want(t, place, "", "join", 1, "", "it is not overwritten: use --force")
	want(t, place, "", "join --force --uplink eth0,wwan0 --uplink 192.0.2.1 --listen [::1]:1", 0, wrote(place.DefaultDir()), "")
	place.Environ = nil
	c, err := configs.LoadClient(place, configs.Options{})
	if err != nil || len(c.Uplinks) != 3 || c.Listen[0] != "[::1]:1" {
		t.Errorf("loaded %+v, %v", c, err)
	}
	want(t, place, "", "config check", 0, filepath.Join(place.DefaultDir(), "client.yaml")+": ok\n", "")
}

func TestWrongUsageOfJoin(t *testing.T) {
	invite := newInvite()
	tests := []struct{ stdin, line, errs string }{
		{"", "join a b", "see: hawser-client join --help"},
		{"", "join --nonsense", "unknown flag: --nonsense"},
		{"", "join nonsense", "invite: not an invite"},
		{"", "join " + invite[:50], "invite: cut off"},
		{"", "join -", "standard input is empty"},
		{"x", "join -", "invite: not an invite"},
		{"", "join --listen 0.0.0.0:1080 " + invite, "reachable from outside: set users or allow_from"},
	}
	for _, test := range tests {
		want(t, machine(t), test.stdin, test.line, 2, "", test.errs)
	}
}

func TestCheckOfAnInvite(t *testing.T) {
	want(t, machine(t, "HAWSER_INVITE="+newInvite()), "", "config check", 0, "invite: ok\n", "")
	want(t, machine(t), "", "config check", 2, "", "no configuration file: tried ")
	want(t, machine(t, "HAWSER_INVITE="+newInvite(), "HAWSER_CARRIER=raw"), "", "config check", 2, "",
		"HAWSER_CARRIER: carrier: \"raw\" is not allowed: the raw carrier is not built yet: use auto or plain")
}

func TestNothingPrintsTheInvite(t *testing.T) {
	invite := newInvite()
	for _, line := range []string{"join " + invite, "join --listen x " + invite, "join " + invite[:60], "join " + invite + "!", "config check " + invite, "conf " + invite, invite} {
		var all bytes.Buffer
		root := newRootCommand(machine(t))
		root.SetArgs(strings.Fields(line))
		root.SetOut(&all)
		root.SetErr(&all)
		cli.Execute(t.Context(), root)
		if all.Len() == 0 || strings.Contains(all.String(), invite[20:50]) {
			t.Errorf("hawser-client %.10s…\nprinted %s", line, &all)
		}
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	for _, line := range []string{"", "join", "config", "config check", "version"} {
		out := want(t, machine(t), "", line+" --help", 0, "…", "")
		if !strings.Contains(out, "Usage:") || !strings.Contains(out, "--config") {
			t.Errorf("help of %q:\n%s", line, out)
		}
	}
	want(t, machine(t), "", "", 2, "", "a command is missing: use one of")
	want(t, machine(t), "", "version extra", 2, "", "extra")
}
