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
func machine(t *testing.T) configs.Place {
	t.Helper()
	dir := t.TempDir()
	return configs.Place{Home: filepath.Join(dir, "home"), Dir: dir, Root: filepath.Join(dir, "root")}
}

// run executes hawser-server and gives status, standard output and standard error.
func run(t *testing.T, place configs.Place, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	root := newRootCommand(place)
	root.SetArgs(args)
	root.SetOut(&o)
	root.SetErr(&e)
	status = cli.Execute(t.Context(), root)
	return status, o.String(), e.String()
}

// want runs hawser-server and wants a status, all of standard output ("…" for anything) and a part of standard error.
func want(t *testing.T, place configs.Place, line string, status int, out, errs string) string {
	t.Helper()
	t.Logf("# hawser-server %s", line)
	gotStatus, gotOut, gotErrs := run(t, place, strings.Fields(line)...)
	if gotStatus != status || out != "…" && gotOut != out || !strings.Contains(gotErrs, errs) || errs == "" && gotErrs != "" {
		t.Errorf("status %d, want %d\noutput %q, want %q\nerrors %q, want %q", gotStatus, status, gotOut, out, gotErrs, errs)
	}
	return gotOut
}

func TestFromInitToRevoke(t *testing.T) {
	place := machine(t)
	dir := filepath.Join(place.Dir, "s")
	file := filepath.Join(dir, "server.yaml")
	want(t, place, "init --dir s", 2, "", "--address: missing")
	want(t, place, "init --dir s --address vps.example.net --plain-port 0", 2, "", "--plain-port: 0 is not a port")
	want(t, place, "run --init --address vps.example.net --raw-port 0", 2, "", "--raw-port: 0 is not a port")
	want(t, place, "run --address vps.example.net", 2, "", "--address counts only together with --init")
	want(t, place, "init --dir s --address vps.example.net,192.0.2.1 --address 2001:db8::1 --plain-port 80 --allow 10.0.0.0/8", 0,
		"wrote "+file+"\nwrote "+filepath.Join(dir, "server.key")+"\n", "")
	want(t, place, "init --dir s --address vps.example.net", 1, "", "server.yaml: file already exists: it is not overwritten")
	want(t, place, "clients", 2, "", "no configuration file: tried ")
	place.Environ = []string{"HAWSER_CONFIG=" + file, "HAWSER_ODD=1"}
	want(t, place, "clients", 0, "", "")
	line := want(t, place, "invite home", 0, "…", "")
	invite, err := configs.ParseInvite(line)
	if err != nil || strings.Count(line, "\n") != 1 || !strings.HasPrefix(line, "hawser://") {
		t.Fatalf("standard output %q, %v, want an invite alone", line, err)
	}
	if invite.Name != "home" || len(invite.Addresses) != 3 || invite.PlainPort != 80 || invite.RawPort != 7443 {
		t.Errorf("invite %+v", invite)
	}
	want(t, place, "invite home", 1, "", `a client named "home" exists`)
	want(t, place, "invite", 2, "", "see: hawser-server invite --help")
	want(t, place, "invite a b", 2, "", "see: hawser-server invite --help")
	want(t, place, "invite -- -a", 2, "", `client name "-a" is not allowed`)
	want(t, place, "clients list", 0, "home                 "+invite.Key.Public().String()+"\n", "")
	want(t, place, "clients stray", 2, "", "stray")
	if _, out, _ := run(t, place, "__complete", "clients", "revoke", ""); out != "home\n:4\n" {
		t.Errorf("completion %q", out)
	}
	want(t, place, "clients revoke away", 1, "", `no client is named "away": there are home`)
	want(t, place, "clients revoke home", 0, "revoked home\n", "")
	want(t, place, "clients list", 0, "", "")
	want(t, place, "config check", 0, file+": ok\n", "warning: environment variable HAWSER_ODD is not known")
	want(t, place, "-c none.yaml config check", 2, "", "none.yaml: no such file")
}

func TestCheckFindsFaultsOfFileAndKey(t *testing.T) {
	place := machine(t)
	want(t, place, "init --dir . --address vps.example.net", 0, "…", "")
	key := filepath.Join(place.Dir, "server.key")
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	want(t, place, "config check", 2, "", "run chmod 600 "+key)
	if err := os.WriteFile(filepath.Join(place.Dir, "server.yaml"), []byte("lisen: 1\nmemory: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, place, "config check", 2, "", `server.yaml:1:1: unknown key "lisen": did you mean "listen"?`)
	want(t, place, "config check", 2, "", `server.yaml:2:9: memory: "1" is not allowed`)
}

func TestEveryCommandHasHelp(t *testing.T) {
	for _, line := range []string{"", "init", "invite", "clients", "clients list", "clients revoke", "config", "config check", "version", "completion bash"} {
		out := want(t, machine(t), line+" --help", 0, "…", "")
		if !strings.Contains(out, "Usage:") || !strings.Contains(out, "--config") {
			t.Errorf("help of %q:\n%s", line, out)
		}
	}
	want(t, machine(t), "version", 0, "…", "")
	want(t, machine(t), "completion bash", 0, "…", "")
	want(t, machine(t), "nonsense", 2, "", `unknown command "nonsense"`)
}
