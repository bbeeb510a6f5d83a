package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// target is a file that is edited: symbolic links are followed, so that what they name is replaced and not the link.
type target struct {
	path string
	info fs.FileInfo
}

// newTarget finds the file and makes sure that it may be written.
func newTarget(path string) (*target, error) {
	followed, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, faultOf(err, "")
	}
	f, err := os.OpenFile(followed, os.O_WRONLY, 0)
	if err != nil {
		return nil, explainEdit(followed, err)
	}
	info, err := f.Stat()
	return &target{path: followed, info: info}, errors.Join(err, f.Close())
}

// replace puts a new text in the file's place; mode and owner stay.
func (t *target) replace(text []byte) error { return replaceFile(t.path, text, t.info) }

// replaceFile puts a text in a file's place in one step: a reader sees the old or the new one, whole. Mode and owner
// are those of like, or 0600 and this process's when it is nil.
func replaceFile(path string, text []byte, like fs.FileInfo) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return explainEdit(path, err)
	}
	_, err = f.Write(text)
	if like != nil {
		err = errors.Join(err, f.Chmod(like.Mode().Perm()), keepOwner(f, like))
	}
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return explainEdit(path, errors.Join(err, os.Remove(f.Name())))
	}
	return syncDir(filepath.Dir(path))
}

// explainEdit says what to do when a file cannot be edited. A file that is mounted by itself cannot be replaced: its
// name is busy.
func explainEdit(path string, err error) error {
	dir := filepath.Dir(path)
	switch {
	case errors.Is(err, syscall.EBUSY):
		return faultOf(err, fmt.Sprintf("%s is mounted by itself and cannot be replaced: mount its directory, %s", path, dir))
	case errors.Is(err, syscall.EROFS):
		return faultOf(err, fmt.Sprintf("%s is read-only: mount its directory, %s, writable", path, dir))
	case errors.Is(err, fs.ErrPermission):
		return faultOf(err, fmt.Sprintf("run as a user who may write in %s", dir))
	}
	return fmt.Errorf("cannot edit %s: %w", path, err)
}

// How long a command waits for another one that edits the same file.
const (
	lockPatience = 10 * time.Second
	lockRetry    = 20 * time.Millisecond
)

// lock keeps other commands from editing the file until unlock is called. The lock is on a file of its own, which
// stays: the edited one changes its identity with each edit.
func (t *target) lock() (unlock func() error, err error) {
	name := filepath.Join(filepath.Dir(t.path), "."+filepath.Base(t.path)+".lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, privateMode)
	if err != nil {
		return nil, explainEdit(t.path, err)
	}
	_ = keepOwner(f, t.info) // so that the owner can lock after root did; nothing is lost where it cannot be set
	patience := time.NewTimer(lockPatience)
	defer patience.Stop()
	retry := time.NewTicker(lockRetry)
	defer retry.Stop()
	for {
		held, err := tryLock(f)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("cannot lock %s: %w", name, err), f.Close())
		}
		if held {
			return f.Close, nil // closing gives the lock back
		}
		select {
		case <-retry.C:
		case <-patience.C:
			return nil, errors.Join(fmt.Errorf("another command has been editing %s for %s: try again", t.path, lockPatience), f.Close())
		}
	}
}
