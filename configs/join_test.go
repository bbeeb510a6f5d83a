package configs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestJoinWritesAFileThatLoads(t *testing.T) {
	p := newPlace(t)
	files, err := JoinClient(p, Join{
		Invite: testInvite().Encode(), Dir: "c",
		Uplinks: []string{"eth0", "192.0.2.7", "Ethernet 2"}, Listen: []string{"127.0.0.1:1081", "[::1]:1081"},
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "client.yaml", read(t, files[0]))
	golden(t, "client.key", read(t, files[1]))
	c, err := LoadClient(p, Options{File: files[0]})
	if err != nil {
		t.Fatal(err)
	}
	key, err := c.Key()
	if err != nil || key.Public() != testInvite().Key.Public() || c.Server.PublicKey != testInvite().Server {
		t.Errorf("keys %v %v, %v", key.Public(), c.Server.PublicKey, err)
	}
	if len(c.Listen) != 2 || len(c.Uplinks) != 3 || c.Uplinks[2].Interface != "Ethernet 2" || !c.Uplinks[1].Source.IsValid() {
		t.Errorf("loaded %+v", c)
	}
	if _, _, err := CheckClient(p, Options{File: files[0]}); err != nil {
		t.Error(err)
	}
}

func TestJoinWithoutOptionsLoadsAsTheDefaults(t *testing.T) {
	p := newPlace(t)
	if _, err := JoinClient(p, Join{Invite: testInvite().Encode()}); err != nil {
		t.Fatal(err)
	}
	golden(t, "client-default.yaml", read(t, filepath.Join(p.DefaultDir(), "client.yaml")))
	c, err := LoadClient(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Uplinks) != 0 || len(c.Listen) != 1 || c.Listen[0] != DefaultClient().Listen[0] {
		t.Errorf("loaded %+v", c)
	}
}

func TestInviteIsFoundEverywhere(t *testing.T) {
	text := testInvite().Encode()
	p := newPlace(t)
	file := write(t, filepath.Join(p.Dir, "invite.txt"), text+"\n")
	tests := []struct {
		name    string
		arg     string
		stdin   string
		environ []string
	}{
		{name: "argument", arg: text},
		{name: "standard input", arg: "-", stdin: text + "\n"},
		{name: "HAWSER_INVITE", environ: []string{"HAWSER_INVITE=" + text}},
		{name: "HAWSER_INVITE_FILE", environ: []string{"HAWSER_INVITE_FILE=" + file}},
		{name: "HAWSER_INVITE_FILE beside an empty HAWSER_INVITE", environ: []string{"HAWSER_INVITE=", "HAWSER_INVITE_FILE=invite.txt"}},
		{name: "argument before the environment", arg: text, environ: []string{"HAWSER_INVITE=nonsense"}},
	}
	for _, test := range tests {
		p.Environ = test.environ
		got, err := FindInvite(p, test.arg, strings.NewReader(test.stdin))
		if err != nil || got == nil || got.Encode() != text {
			t.Errorf("%s: %v, %v", test.name, got, err)
		}
	}
}

func TestInviteThatIsNotThere(t *testing.T) {
	p := newPlace(t)
	if got, err := FindInvite(p, "", nil); got != nil || err != nil {
		t.Errorf("%v, %v, want none", got, err)
	}
	_, err := JoinClient(p, Join{})
	wantConfigError(t, err, "invite: is missing: give it as an argument, on standard input (-), in HAWSER_INVITE")
	_, err = FindInvite(p, "-", strings.NewReader(" \n"))
	wantConfigError(t, err, "standard input is empty")
	empty := write(t, filepath.Join(p.Dir, "empty"), "\n")
	p.Environ = []string{"HAWSER_INVITE_FILE=" + empty}
	_, err = FindInvite(p, "", nil)
	wantConfigError(t, err, empty+": is empty")
	p.Environ = []string{"HAWSER_INVITE_FILE=none"}
	_, err = FindInvite(p, "", nil)
	wantConfigError(t, err, "HAWSER_INVITE_FILE", "no such file")
	p.Environ = []string{"HAWSER_INVITE=a", "HAWSER_INVITE_FILE=b"}
	_, err = FindInvite(p, "", nil)
	wantConfigError(t, err, "both HAWSER_INVITE and HAWSER_INVITE_FILE are set")
}

func TestJoinOverwritesWithForceOnly(t *testing.T) {
	for _, name := range []string{"client.yaml", "client.key"} {
		p := newPlace(t)
		file := write(t, filepath.Join(p.DefaultDir(), name), "mine")
		_, err := JoinClient(p, Join{Invite: testInvite().Encode()})
		wantError(t, err, file, "it is not overwritten: use --force")
		if !errors.Is(err, fs.ErrExist) || read(t, file) != "mine" {
			t.Errorf("%v; the file holds %q", err, read(t, file))
		}
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := JoinClient(p, Join{Invite: testInvite().Encode(), Force: true}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := CheckClient(p, Options{}); err != nil { // refuses a key of mode 0644
			t.Error(err)
		}
		if entries, err := os.ReadDir(p.DefaultDir()); err != nil || len(entries) != 2 {
			t.Errorf("the directory holds %v, %v", entries, err)
		}
	}
}

func TestJoinRefusesWhatTheRulesForbid(t *testing.T) {
	tests := []struct {
		join Join
		want string
	}{
		{Join{Listen: []string{"1080"}}, `--listen: listen[0]: "1080" is not allowed`},
		{Join{Listen: []string{"0.0.0.0:1080"}}, `--listen: listen[0]: "0.0.0.0:1080" is reachable from outside`},
		{Join{Uplinks: []string{"eth0", "eth0"}}, `--uplink: uplinks[1]: the name "eth0" stands there twice`},
		{Join{Uplinks: []string{""}}, `--uplink: uplinks[0]: has neither interface nor source`},
	}
	for _, test := range tests {
		p := newPlace(t)
		test.join.Invite = testInvite().Encode()
		_, err := JoinClient(p, test.join)
		wantConfigError(t, err, test.want)
		if _, err := os.Stat(p.DefaultDir()); err == nil {
			t.Error("the directory was made all the same")
		}
	}
}

func TestClientRunsFromAnInviteWithoutAFile(t *testing.T) {
	p := newPlace(t, "HAWSER_INVITE="+testInvite().Encode(), "HAWSER_LOG_LEVEL=debug", "HAWSER_SERVER_PLAIN_PORT=99")
	flags := []Flag{{Name: "--uplink", Key: "uplinks", Values: []string{"eth0"}}}
	c, err := LoadClient(p, Options{Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	key, err := c.Key()
	if err != nil || key.Public() != testInvite().Key.Public() {
		t.Errorf("key %v, %v", key.Public(), err)
	}
	if c.File != "" || c.Server.PublicKey != testInvite().Server || c.Server.PlainPort != 99 || c.Log.Level != "debug" || len(c.Uplinks) != 1 {
		t.Errorf("loaded %+v", c)
	}
	again, err := ClientFromInvite(p, Options{}, testInvite())
	if err != nil || again.Server.PublicKey != testInvite().Server {
		t.Errorf("loaded %+v, %v", again, err)
	}
	if entries, err := os.ReadDir(p.Dir); err != nil || len(entries) != 0 {
		t.Errorf("written: %v, %v", entries, err)
	}
}

func TestInviteOverridesTheFileThatIsNamedBesideIt(t *testing.T) {
	p := newPlace(t)
	text := testInvite().Encode()
	write(t, filepath.Join(p.Dir, "client.yaml"), minimalClient+"scheduler: blest\n")
	c, err := LoadClient(p, Options{Invite: text})
	if err != nil || c.Scheduler != "auto" {
		t.Errorf("a file that nobody named was read: %+v, %v", c, err)
	}
	c, err = LoadClient(p, Options{Invite: text, File: "client.yaml"})
	if err != nil || c.Scheduler != "blest" || c.Server.PublicKey != testInvite().Server {
		t.Errorf("loaded %+v, %v", c, err)
	}
}

func TestAdminListenerIsFoundWithoutAnyConfiguration(t *testing.T) {
	p := newPlace(t)
	if a, err := ClientAdmin(p, Options{}); err != nil || a.Address != "127.0.0.1:9090" {
		t.Errorf("%+v, %v", a, err)
	}
	p.Environ = []string{"HAWSER_ADMIN=127.0.0.1:7"}
	if a, err := ClientAdmin(p, Options{}); err != nil || a.Address != "127.0.0.1:7" {
		t.Errorf("%+v, %v", a, err)
	}
	write(t, filepath.Join(p.Dir, "client.yaml"), minimalClient+"admin_token: t\n")
	if a, err := ClientAdmin(p, Options{}); err != nil || !a.Token.Matches("t") {
		t.Errorf("%+v, %v", a, err)
	}
	_, err := ClientAdmin(p, Options{File: "none.yaml"})
	wantConfigError(t, err, "none.yaml")
	p.Environ = []string{"HAWSER_ADMIN=x"}
	_, err = ClientAdmin(newPlace(t, "HAWSER_ADMIN=x"), Options{})
	wantConfigError(t, err, `HAWSER_ADMIN: admin: "x" is not allowed`)
	_, err = ServerAdmin(p, Options{})
	wantConfigError(t, err, "no configuration file")
	write(t, filepath.Join(p.Dir, "server.yaml"), "admin: \"127.0.0.1:8\"")
	p.Environ = nil
	if a, err := ServerAdmin(p, Options{}); err != nil || a.Address != "127.0.0.1:8" {
		t.Errorf("%+v, %v", a, err)
	}
}
