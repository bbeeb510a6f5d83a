//go:build linux

package netlab_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"hawser/test/netlab"
)

// TestMain lets the test binary be the process that dies without cleaning up.
func TestMain(m *testing.M) {
	if os.Getenv("NETLAB_TEST_CRASH") != "" {
		crash()
	}
	os.Exit(m.Run())
}

// crash makes a lab with a process in it, tells their names, and dies.
func crash() {
	lab, err := netlab.Open()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	a, b := lab.Host("a"), lab.Host("b")
	lab.Link(a, b, netlab.LinkConfig{Emulate: true})
	cmd := a.Command(context.Background(), "sleep", "1000")
	if err := errors.Join(lab.Err(), cmd.Start()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(a.Namespace(), cmd.Process.Pid)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func TestLabSweepsWhatACrashedOneLeft(t *testing.T) {
	netlab.NeedRoot(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "NETLAB_TEST_CRASH=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	_ = cmd.Wait()
	name, pid, ok := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil || !ok {
		t.Fatalf("the crashing lab said %q: %v", line, err)
	}
	if !slices.Contains(entries(t, "/run/netns"), name) {
		t.Fatalf("the crashed lab left no namespace %s to sweep", name)
	}

	netlab.New(t)
	for _, left := range entries(t, "/run/netns") {
		if strings.TrimSuffix(left, "b") == strings.TrimSuffix(name, "a") || left == name {
			t.Errorf("namespace %s is left", left)
		}
	}
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n)); err == nil && !strings.Contains(string(state), ") Z ") {
		t.Errorf("process %d is left: %s", n, state)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	netlab.NeedRoot(t)
	lab, err := netlab.Open() // the first of a process opens files of the Go runtime
	if err == nil {
		err = lab.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	before := len(entries(t, "/proc/self/fd"))
	if lab, err = netlab.Open(); err != nil {
		t.Fatal(err)
	}
	a, b := lab.Host("a"), lab.Host("b")
	lab.Link(a, b, netlab.LinkConfig{Emulate: true})
	lab.Link(a, b, netlab.LinkConfig{})
	cmd := a.Command(t.Context(), "sh", "-c", "sleep 1000 & sleep 1000")
	if err := errors.Join(cmd.Start(), lab.Err()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(lab.Close(), lab.Close()); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the command ended with %v, want it killed", err)
	}
	for _, left := range entries(t, "/run/netns") {
		if left == a.Namespace() || left == b.Namespace() {
			t.Errorf("namespace %s is left", left)
		}
	}
	if after := len(entries(t, "/proc/self/fd")); after > before {
		t.Errorf("%d open files, %d before", after, before)
	}
}

func TestLabKeepsItsFirstError(t *testing.T) {
	netlab.NeedRoot(t)
	lab, err := netlab.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	}()
	a, b := lab.Host("a"), lab.Host("b")
	lab.Link(a, b, netlab.LinkConfig{Name: "dsl"})
	if err := lab.Err(); err != nil {
		t.Fatal(err)
	}
	lab.Link(a, b, netlab.LinkConfig{Name: "dsl"})
	if err := lab.Err(); err == nil || !strings.Contains(err.Error(), `has an interface "dsl" already`) {
		t.Errorf("a second interface of the same name gave %v", err)
	}
	l := lab.Link(a, b, netlab.LinkConfig{Name: "lte", Loss: 2}) // does nothing any more
	l.BlackHole(netlab.Both, true)
	l.Down(netlab.SideA)
	if err := lab.Err(); !strings.Contains(err.Error(), "already") {
		t.Errorf("the first error was replaced by %v", err)
	}
}

func TestCommandRunsOnItsHost(t *testing.T) {
	lab := netlab.New(t)
	a, b := lab.Host("a"), lab.Host("b")
	lab.Link(a, b, netlab.LinkConfig{Name: "dsl"})
	for _, credential := range []*syscall.Credential{nil, {Uid: 65534, Gid: 65534}} {
		cmd := a.Command(t.Context(), "sh", "-c", "id -u; cat /proc/net/dev")
		uid := "0"
		if credential != nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
			uid = strconv.Itoa(int(credential.Uid))
		}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), uid+"\n") || !strings.Contains(string(out), " dsl:") {
			t.Errorf("as user %s: %v\n%s", uid, err, out)
		}
	}
	cmd := b.Command(t.Context(), "cat", "/proc/net/dev")
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil || !strings.Contains(out.String(), " dsl:") {
		t.Errorf("Run: %v\n%s", err, &out)
	}
	if b, err := os.ReadFile("/proc/thread-self/net/dev"); err != nil || strings.Contains(string(b), " dsl:") {
		t.Errorf("the test itself is on a host: %v\n%s", err, b)
	}
}
