package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// newServer makes a place with a fresh server in its working directory.
func newServer(t *testing.T, environ ...string) (Place, string) {
	t.Helper()
	p := newPlace(t, environ...)
	if _, err := InitServer(p, ".", Init{Addresses: []string{"vps.example.net"}}); err != nil {
		t.Fatal(err)
	}
	return p, filepath.Join(p.Dir, "server.yaml")
}

func TestInviteAddsAClientThatTheInviteFits(t *testing.T) {
	p, file := newServer(t)
	invite, err := AddClient(p, Options{}, "home")
	if err != nil {
		t.Fatal(err)
	}
	s, err := LoadServer(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.Key()
	if err != nil {
		t.Fatal(err)
	}
	want := Peer{Name: "home", PublicKey: invite.Key.Public()}
	if len(s.Clients) != 1 || s.Clients[0] != want || invite.Server != key.Public() || invite.Name != "home" ||
		invite.RawPort != 7443 || invite.PlainPort != 7444 || len(invite.Addresses) != 1 {
		t.Errorf("invite %+v, clients %v", invite, s.Clients)
	}
	if text := read(t, file); strings.Contains(text, invite.Encode()[9:40]) || !strings.Contains(text, "# Who may connect") {
		t.Errorf("the file holds the invite or lost its comments:\n%s", text)
	}
	if _, err := AddClient(p, Options{}, "home"); err == nil || !strings.Contains(err.Error(), `a client named "home" exists`) {
		t.Errorf("the same name again: %v", err)
	}
}

func TestInviteLeavesOutCarriersThatAreOff(t *testing.T) {
	p, _ := newServer(t, "HAWSER_LISTEN_RAW=")
	invite, err := AddClient(p, Options{}, "home")
	if err != nil || invite.RawPort != 0 || invite.PlainPort != 7444 {
		t.Errorf("ports %d, %d, %v", invite.RawPort, invite.PlainPort, err)
	}
}

func TestInviteRefusals(t *testing.T) {
	p, file := newServer(t)
	_, err := AddClient(p, Options{}, "a b")
	wantConfigError(t, err, `client name "a b" is not allowed: use 1 to 63 letters`)

	withEnv := p
	withEnv.Environ = []string{"HAWSER_CLIENTS=[]"}
	_, err = AddClient(withEnv, Options{}, "home")
	wantConfigError(t, err, "HAWSER_CLIENTS: the list of clients comes from this variable", "unset it")

	withEnv.Environ = []string{"HAWSER_PUBLIC_ADDRESSES="}
	_, err = AddClient(withEnv, Options{}, "home")
	wantConfigError(t, err, file+": public.addresses: is empty: set the names or addresses")

	withEnv.Environ = []string{"HAWSER_LISTEN_RAW=", "HAWSER_PUBLIC_PLAIN_PORT=0"}
	_, err = AddClient(withEnv, Options{}, "home")
	wantConfigError(t, err, "the carrier that listens has no public port")

	if err := os.Remove(filepath.Join(p.Dir, "server.key")); err != nil {
		t.Fatal(err)
	}
	_, err = AddClient(p, Options{}, "home")
	wantConfigError(t, err, "server.key", "no such file")
}

func TestRevokeTakesAClientOff(t *testing.T) {
	p, file := newServer(t)
	before := read(t, file)
	for _, name := range []string{"a", "b"} {
		if _, err := AddClient(p, Options{}, name); err != nil {
			t.Fatal(err)
		}
	}
	err := RevokeClient(p, Options{}, "c")
	wantError(t, err, `no client is named "c": there are a, b`)
	for _, name := range []string{"a", "b"} {
		if err := RevokeClient(p, Options{}, name); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, RevokeClient(p, Options{}, "a"), "there are none")
	if got, want := read(t, file), strings.Replace(before, "clients: []", "clients:", 1); got != want {
		t.Errorf("file\n%s\nwant\n%s", got, want)
	}
	if names := ClientNames(p, Options{}); len(names) != 0 {
		t.Errorf("names %q", names)
	}
}

func TestConcurrentInvitesLoseNoClient(t *testing.T) {
	p, _ := newServer(t)
	const n = 24
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() { _, errs[i] = AddClient(p, Options{}, fmt.Sprintf("c%d", i)) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	names := ClientNames(p, Options{})
	seen := map[string]bool{}
	for _, name := range names {
		seen[name] = true
	}
	if len(names) != n || len(seen) != n {
		t.Errorf("%d clients, want %d: %q", len(names), n, names)
	}
}

func TestConcurrentInvitesOfOneNameMakeOneClient(t *testing.T) {
	p, _ := newServer(t)
	const n = 8
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() { _, errs[i] = AddClient(p, Options{}, "home") })
	}
	all.Wait()
	good := 0
	for _, err := range errs {
		if err == nil {
			good++
		}
	}
	if names := ClientNames(p, Options{}); good != 1 || len(names) != 1 {
		t.Errorf("%d invites, clients %q, want one", good, names)
	}
}

func TestEditKeepsModeAndFollowsLinks(t *testing.T) {
	p, file := newServer(t)
	real := filepath.Join(p.Root, "real.yaml")
	if err := errors.Join(os.Rename(file, real), os.Chmod(real, 0o640), os.Symlink(real, file)); err != nil {
		t.Fatal(err)
	}
	if _, err := AddClient(p, Options{}, "home"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(file); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if info, err := os.Stat(real); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v, want 0640", info, err)
	}
	if !strings.Contains(read(t, real), "name: home") {
		t.Error("the file behind the link has not changed")
	}
	leftovers, err := filepath.Glob(filepath.Join(p.Root, ".*.yaml.*"))
	if err != nil || len(leftovers) != 1 || filepath.Base(leftovers[0]) != ".real.yaml.lock" {
		t.Errorf("beside the file: %q, %v", leftovers, err)
	}
}

func TestLockedFileIsWaitedFor(t *testing.T) {
	p, file := newServer(t)
	target, err := newTarget(file)
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := target.lock()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := AddClient(p, Options{}, "home")
		done <- err
	}()
	if strings.Contains(read(t, file), "name: home") {
		t.Error("the file changed under the lock")
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWhatToDoWhenTheFileCannotBeReplaced(t *testing.T) {
	tests := []struct {
		cause error
		want  string
	}{
		{syscall.EBUSY, "/d/server.yaml is mounted by itself and cannot be replaced: mount its directory, /d"},
		{syscall.EROFS, "/d/server.yaml is read-only: mount its directory, /d, writable"},
		{syscall.EACCES, "run as a user who may write in /d"},
	}
	for _, test := range tests {
		err := explainEdit("/d/server.yaml", &os.LinkError{Op: "rename", Old: "/d/x", New: "/d/server.yaml", Err: test.cause})
		wantConfigError(t, err, test.want)
		if !errors.Is(err, test.cause) {
			t.Errorf("%v is not wrapped", test.cause)
		}
	}
	wantError(t, explainEdit("/d/server.yaml", syscall.ENOSPC), "cannot edit /d/server.yaml: ")
}
