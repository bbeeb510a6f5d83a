package netlab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const (
	namespaceDir    = "/run/netns"
	namespacePrefix = "hawser-lab-"
)

// An owner is the process that a namespace belongs to. The start time tells it from a later process of the same id.
type owner struct {
	pid   int
	start string // clock ticks since boot, as in /proc/PID/stat
}

// self is this process.
func self() (owner, error) {
	start, err := startTime(os.Getpid())
	return owner{os.Getpid(), start}, err
}

// prefix begins the names of the owner's namespaces.
func (o owner) prefix() string { return fmt.Sprintf("%s%d-%s-", namespacePrefix, o.pid, o.start) }

// ownerOf reads the owner from a namespace's name.
func ownerOf(name string) (owner, bool) {
	rest, ok := strings.CutPrefix(name, namespacePrefix)
	parts := strings.SplitN(rest, "-", 3)
	if !ok || len(parts) != 3 {
		return owner{}, false
	}
	pid, err := strconv.Atoi(parts[0])
	return owner{pid, parts[1]}, err == nil
}

// alive reports whether the owner still runs.
func (o owner) alive() bool {
	start, err := startTime(o.pid)
	return err == nil && start == o.start
}

// startTime reads when a process started.
func startTime(pid int) (string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// Field 2 is the name in parentheses and may hold anything; 22 is the start time (proc(5)).
	_, rest, _ := strings.Cut(string(b[strings.LastIndexByte(string(b), ')'):]), " ")
	fields := strings.Fields(rest)
	const after = 22 - 3
	if len(fields) <= after {
		return "", fmt.Errorf("/proc/%d/stat has %d fields after the name", pid, len(fields))
	}
	return fields[after], nil
}

// sweep removes the namespaces of dead processes, with the processes in them.
func sweep() error {
	entries, err := os.ReadDir(namespaceDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var errs []error
	for _, e := range entries {
		if o, ok := ownerOf(e.Name()); ok && !o.alive() {
			errs = append(errs, errors.Join(killInside(e.Name()), remove(e.Name())))
		}
	}
	return errors.Join(errs...)
}

// remove takes a namespace's name away; the kernel ends it when nothing uses it any more. Another process may have
// swept it in the same moment.
func remove(name string) error {
	err := netns.DeleteNamed(name)
	if errors.Is(err, unix.EINVAL) { // the name was made, but nothing mounted
		err = os.Remove(filepath.Join(namespaceDir, name))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove namespace %s: %w", name, err)
	}
	return nil
}

// killInside kills the processes in a namespace and waits until they are gone.
func killInside(name string) error {
	var ns unix.Stat_t
	if err := unix.Stat(filepath.Join(namespaceDir, name), &ns); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		return fmt.Errorf("namespace %s: %w", name, err)
	}
	dirs, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(strings.Split(dir, "/")[2])
		var st unix.Stat_t
		if pid == os.Getpid() || unix.Stat(dir, &st) != nil || st.Ino != ns.Ino || st.Dev != ns.Dev {
			continue
		}
		if err := kill(pid); err != nil {
			return fmt.Errorf("kill %d in namespace %s: %w", pid, name, err)
		}
	}
	return nil
}

// killWait is how long a killed process has to end, in milliseconds.
const killWait = 5000

// kill ends a process and waits for its end.
func kill(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
		if errors.Is(err, unix.ESRCH) {
			return nil
		}
		return err
	}
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, killWait)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		case n == 0:
			return fmt.Errorf("still there after %d ms", killWait)
		default:
			return nil
		}
	}
}
