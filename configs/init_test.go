package configs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// golden compares a text with a file in testdata; with HAWSER_GOLDEN=write in the environment it writes that file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("HAWSER_GOLDEN") == "write" {
		write(t, path, got)
	}
	if want := read(t, path); got != want {
		t.Errorf("%s differs:\n%s", path, got)
	}
}

func TestInitWritesAFileThatLoads(t *testing.T) {
	p := newPlace(t)
	files, err := InitServer(p, "new/dir", Init{
		Addresses: []string{"vps.example.net", "2001:db8::7"}, RawPort: 443, PlainPort: 80, Allow: []string{"10.0.0.0/24", "192.168.1.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(p.Dir, "new/dir")
	want := []string{filepath.Join(dir, "server.yaml"), filepath.Join(dir, "server.key")}
	if !slices.Equal(files, want) {
		t.Errorf("wrote %q, want %q", files, want)
	}
	golden(t, "server.yaml", read(t, files[0]))
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", file, info.Mode(), err)
		}
	}
	s, err := LoadServer(p, Options{File: files[0]})
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != (Listen{":443", ":80"}) || s.Public.RawPort != 443 || s.Public.PlainPort != 80 || len(s.Egress.Allow) != 2 {
		t.Errorf("loaded %+v", s)
	}
	if _, _, err := CheckServer(p, Options{File: files[0]}); err != nil {
		t.Error(err)
	}
}

func TestInitNeverOverwrites(t *testing.T) {
	for _, name := range []string{"server.yaml", "server.key"} {
		p := newPlace(t)
		file := write(t, filepath.Join(p.DefaultDir(), name), "mine")
		_, err := InitServer(p, "", Init{Addresses: []string{"a.example"}})
		wantError(t, err, file, "it is not overwritten")
		if !errors.Is(err, fs.ErrExist) {
			t.Error("the error does not wrap fs.ErrExist")
		}
		entries, err := os.ReadDir(p.DefaultDir())
		if err != nil || len(entries) != 1 || read(t, file) != "mine" {
			t.Errorf("the directory holds %v, %v", entries, err)
		}
	}
}

func TestInitRefusesWhatTheRulesForbid(t *testing.T) {
	tests := []struct {
		in   Init
		want string
	}{
		{Init{}, "--address: missing: name the address or host name"},
		{Init{Addresses: []string{"a:1"}}, `--address: public.addresses[0]: "a:1" is not allowed`},
		{Init{Addresses: []string{"a"}, Allow: []string{"b"}}, `--allow: egress.allow[0]: "b" is not allowed: use a network`},
		{Init{Addresses: []string{"a"}, RawPort: 5, PlainPort: 5}, `--plain-port: public.plain_port: 5 is not allowed: raw_port has the same port`},
	}
	for _, test := range tests {
		p := newPlace(t)
		_, err := InitServer(p, "", test.in)
		wantConfigError(t, err, test.want)
		if _, err := os.Stat(p.DefaultDir()); err == nil {
			t.Error("the directory was made all the same")
		}
	}
}

func TestEnsureServerMakesWhatIsMissingOnly(t *testing.T) {
	p := newPlace(t)
	p.Environ = []string{"HAWSER_CONFIG=" + filepath.Join(p.Root, "data/server.yaml")}
	in := Init{Addresses: []string{"a.example"}}
	file, key := filepath.Join(p.Root, "data/server.yaml"), filepath.Join(p.Root, "data/server.key")
	step := func(what string, want ...string) {
		t.Helper()
		t.Logf("# %s", what)
		created, err := EnsureServer(p, Options{}, in)
		if err != nil || !slices.Equal(created, want) {
			t.Fatalf("made %q, %v, want %q", created, err, want)
		}
	}
	step("nothing is there", file, key)
	before := read(t, key)
	step("everything is there")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	step("the file is missing", file)
	if read(t, key) != before {
		t.Error("the key was overwritten")
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	in = Init{}
	step("the key is missing, no address needed", key)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	p.Environ = append(p.Environ, "HAWSER_PUBLIC_ADDRESSES=b.example,c.example")
	step("the addresses come from the environment", file)
	s, err := LoadServer(Place{}, Options{File: file})
	if err != nil || len(s.Public.Addresses) != 2 {
		t.Errorf("loaded %+v, %v", s, err)
	}
}

func TestEnsureServerWithoutAddressOrWithABadFile(t *testing.T) {
	p := newPlace(t)
	_, err := EnsureServer(p, Options{}, Init{})
	wantConfigError(t, err, "--address: missing")
	file := write(t, filepath.Join(p.Dir, "server.yaml"), "x: 1")
	_, err = EnsureServer(p, Options{}, Init{})
	wantConfigError(t, err, file+`:1:1: unknown key "x"`)
	if read(t, file) != "x: 1" {
		t.Error("the file was overwritten")
	}
}

// uncomment makes the section "Defaults" of a file that init or join wrote count.
func uncomment(t *testing.T, text string) string {
	t.Helper()
	head, tail, ok := strings.Cut(text, "# Defaults:\n")
	if !ok {
		t.Fatalf("no section of defaults in\n%s", text)
	}
	lines := strings.Split(tail, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "# ")
	}
	return head + strings.Join(lines, "\n")
}

func TestDefaultsInTheCommentsAreTheDefaults(t *testing.T) {
	client, server := read(t, "testdata/client-default.yaml"), read(t, "testdata/server.yaml")
	plain, err := loadClientText(t, client)
	if err != nil {
		t.Fatal(err)
	}
	said, err := loadClientText(t, uncomment(t, client))
	if err != nil {
		t.Fatal(err)
	}
	if said.AdminToken.Reveal() != "…" {
		t.Error("the section of defaults was not read")
	}
	said.AdminToken, said.AdminHosts = plain.AdminToken, plain.AdminHosts
	if !reflect.DeepEqual(plain, said) {
		t.Errorf("client: %+v\nthe comments say %+v", plain, said)
	}
	plainServer, err := loadServerText(t, server)
	if err != nil {
		t.Fatal(err)
	}
	saidServer, err := loadServerText(t, uncomment(t, server))
	if err != nil {
		t.Fatal(err)
	}
	saidServer.AdminToken, saidServer.AdminHosts = plainServer.AdminToken, plainServer.AdminHosts
	saidServer.File, saidServer.Identity, saidServer.clientsFrom = plainServer.File, plainServer.Identity, plainServer.clientsFrom
	if !reflect.DeepEqual(plainServer, saidServer) {
		t.Errorf("server: %+v\nthe comments say %+v", plainServer, saidServer)
	}
}
