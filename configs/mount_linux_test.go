package configs

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// inOwnMounts runs fn in a goroutine whose thread has mounts of its own; the thread ends with it.
func inOwnMounts(t *testing.T, fn func() error) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread's mounts must not be anyone else's
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			done <- err
			return
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			done <- err
			return
		}
		done <- fn()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestFileMountedByItselfIsNotEdited(t *testing.T) {
	p, file := newServer(t)
	before := read(t, file)
	inOwnMounts(t, func() error {
		if err := unix.Mount(file, file, "", unix.MS_BIND, ""); err != nil {
			return err
		}
		_, err := AddClient(p, Options{}, "home")
		wantConfigError(t, err, "is mounted by itself and cannot be replaced: mount its directory, "+p.Dir)
		return nil
	})
	if read(t, file) != before {
		t.Error("the file has changed")
	}
	leftovers, err := filepath.Glob(filepath.Join(p.Dir, ".server.yaml.*"))
	if err != nil || len(leftovers) != 1 || !strings.HasSuffix(leftovers[0], ".lock") {
		t.Errorf("beside the file: %q, %v", leftovers, err)
	}
}

func TestReadOnlyFileIsNotEdited(t *testing.T) {
	p, file := newServer(t)
	inOwnMounts(t, func() error {
		if err := unix.Mount(p.Dir, p.Dir, "", unix.MS_BIND, ""); err != nil {
			return err
		}
		if err := unix.Mount("", p.Dir, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
			return err
		}
		_, err := AddClient(p, Options{}, "home")
		wantConfigError(t, err, file+" is read-only: mount its directory, "+p.Dir)
		return nil
	})
}

func TestEditKeepsTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("changing owners needs root")
	}
	p, file := newServer(t)
	if err := os.Chown(file, 12345, 23456); err != nil {
		t.Fatal(err)
	}
	if _, err := AddClient(p, Options{}, "home"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(p.Dir, ".server.yaml.lock")} {
		var stat unix.Stat_t
		if err := unix.Stat(path, &stat); err != nil || stat.Uid != 12345 || stat.Gid != 23456 {
			t.Errorf("%s belongs to %d:%d, %v, want 12345:23456", path, stat.Uid, stat.Gid, err)
		}
	}
}
