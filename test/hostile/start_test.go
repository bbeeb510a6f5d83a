package hostile

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hawser/test/program"
)

// badStart is a program that must not start: what is wrong, how it ends and what it says.
type badStart struct {
	name    string
	program string
	spoil   func(t *testing.T, f *files) // makes it wrong
	status  int
	says    []string // on standard error, each; "PORT" and "DIR" stand for the case's own
}

// files is a set of good files for a case to break, and what it runs with.
type files struct {
	*program.Site
	options program.Options
	busy    string // port of an address that is taken
}

// edit replaces a text in the server's or a client's file.
func (f *files) edit(t *testing.T, name, old, text string) {
	t.Helper()
	b, err := os.ReadFile(f.File(name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), old) {
		t.Fatalf("%s has no %q:\n%s", f.File(name), old, b)
	}
	if err := os.WriteFile(f.File(name), []byte(strings.Replace(string(b), old, text, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// env sets variables.
func (f *files) env(pairs ...string) { f.options.Env = append(f.options.Env, pairs...) }

// key is the path of a key file.
func (f *files) key(name string) string {
	kind := "client"
	if name == "server" {
		kind = name
	}
	return filepath.Join(f.Dir, name, kind+".key")
}

// chmod changes the mode of a key file.
func (f *files) chmod(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(f.key(name), mode); err != nil {
		t.Fatal(err)
	}
}

// setEnv is a case that only sets variables; BUSY stands for an address that is taken.
func setEnv(pairs ...string) func(*testing.T, *files) {
	return func(_ *testing.T, f *files) {
		for _, pair := range pairs {
			f.env(strings.ReplaceAll(pair, "BUSY", "127.0.0.1:"+f.busy))
		}
	}
}

var badStarts = []badStart{
	{"busy port of the plain carrier", program.Server, setEnv("HAWSER_LISTEN_PLAIN=BUSY"), 1,
		[]string{"listen.plain", "127.0.0.1:PORT", "address already in use", "choose another port"}},
	{"busy admin port of the server", program.Server, setEnv("HAWSER_ADMIN=BUSY"), 1,
		[]string{"admin", "127.0.0.1:PORT", "address already in use", "another address or port for the key admin"}},
	{"busy port of the local proxy", program.Client, setEnv("HAWSER_LISTEN=127.0.0.1:0,BUSY"), 1,
		[]string{"listen", "127.0.0.1:PORT", "address already in use", "choose another port"}},
	{"busy admin port of the client", program.Client, setEnv("HAWSER_ADMIN=BUSY"), 1,
		[]string{"admin", "127.0.0.1:PORT", "address already in use", "another address or port for the key admin"}},
	{"address that this machine does not have", program.Server, setEnv("HAWSER_LISTEN_PLAIN=192.0.2.1:7444"), 1,
		[]string{"listen.plain", "192.0.2.1:7444", "no interface of this machine has the address"}},

	{"missing key of the server", program.Server, func(t *testing.T, f *files) { remove(t, f.key("server")) }, 2,
		[]string{"server.key", "no such file", "hawser-server init"}},
	{"missing key of the client", program.Client, func(t *testing.T, f *files) { remove(t, f.key("home")) }, 2,
		[]string{"client.key", "no such file", "hawser-client join"}},
	{"key that all may read", program.Server, func(t *testing.T, f *files) { f.chmod(t, "server", 0o644) }, 2,
		[]string{"server.key", "others can read this key (mode 0644)", "run chmod 600"}},
	{"key that the group may read", program.Client, func(t *testing.T, f *files) { f.chmod(t, "home", 0o640) }, 2,
		[]string{"client.key", "others can read this key (mode 0640)", "run chmod 600"}},
	{"key that the user may not read", program.Server, func(t *testing.T, f *files) {
		f.chmod(t, "server", 0)
		asNobody(t, f)
	}, 2, []string{"server.key", "permission denied", "run as the user that owns the key"}},
	{"key that is a directory", program.Client, func(t *testing.T, f *files) {
		remove(t, f.key("home"))
		if err := os.Mkdir(f.key("home"), 0o700); err != nil {
			t.Fatal(err)
		}
	}, 2, []string{"client.key", "not a file", "identity"}},
	{"key file with something else in it", program.Server, func(t *testing.T, f *files) {
		if err := os.WriteFile(f.key("server"), []byte("-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}, 2, []string{"server.key", "not a key file", "hawser-private-key-v1"}},

	{"unknown key in server.yaml", program.Server, func(t *testing.T, f *files) { f.edit(t, "server", "egress:", "egres:") }, 2,
		[]string{"server.yaml:", "egres", `did you mean "egress"`}},
	{"unknown key in client.yaml", program.Client, func(t *testing.T, f *files) { f.edit(t, "home", "plain_port", "plainport") }, 2,
		[]string{"client.yaml:", "plainport", `did you mean "plain_port"`}},
	{"file that is no YAML", program.Server, func(t *testing.T, f *files) { f.edit(t, "server", "egress:", "\tegress: [") }, 2,
		[]string{"server.yaml:"}},
	{"no file", program.Client, func(_ *testing.T, f *files) { f.options.Args = []string{"-c", "none.yaml"} }, 2,
		[]string{"none.yaml", "no such file"}},
	{"bad value", program.Client, setEnv("HAWSER_SCHEDULER=fastest"), 2,
		[]string{"HAWSER_SCHEDULER", "fastest", "use one of auto"}},

	{"proxy open to others", program.Client, setEnv("HAWSER_LISTEN=0.0.0.0:0"), 2,
		[]string{"HAWSER_LISTEN", "reachable from outside", "set users or allow_from"}},
	{"user without a password", program.Client, setEnv("HAWSER_LISTEN=0.0.0.0:0", "HAWSER_USERS=[{name: me}]"), 2,
		[]string{"users[0].password", "use 1 to 255 bytes"}},
	{"admin port open to others", program.Client, setEnv("HAWSER_ADMIN=0.0.0.0:0"), 2,
		[]string{"admin", "set admin_token"}},
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func TestProgramsThatMustNotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() }) // after the parallel cases
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, c := range badStarts {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := &files{Site: program.NewSite(t, "127.0.0.1"), busy: port}
			f.Join("home")
			f.env("HAWSER_LISTEN_PLAIN=127.0.0.1:0", "HAWSER_ADMIN=127.0.0.1:0")
			if c.program == program.Client {
				f.options.Env = []string{"HAWSER_LISTEN=127.0.0.1:0", "HAWSER_ADMIN=127.0.0.1:0"}
			}
			c.spoil(t, f)
			if f.options.Args == nil {
				f.options.Args = []string{"-c", f.File(map[string]string{program.Server: "server", program.Client: "home"}[c.program])}
			}
			f.options.Args = append(f.options.Args, "run")
			got := program.Run(t, c.program, f.options)
			if got.Status != c.status {
				t.Errorf("exit status %d, want %d", got.Status, c.status)
			}
			last := lastLine(got.Err)
			if !strings.HasPrefix(last, c.program+": ") {
				t.Errorf("the last line is not the program's error: %q", last)
			}
			for _, text := range c.says {
				if text = strings.ReplaceAll(text, "PORT", port); !strings.Contains(got.Err, text) {
					t.Errorf("it says nothing of %q:\n%s", text, got.Err)
				}
			}
			if strings.Contains(got.Err, "panic") || strings.Contains(got.Err, "c2VjcmV0") {
				t.Errorf("it says\n%s", got.Err)
			}
		})
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
