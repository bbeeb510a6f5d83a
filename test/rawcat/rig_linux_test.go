package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hawser/test/netlab"
)

const (
	listenPort = 7443
	patience   = 30 * time.Second
	nobody     = 65534
)

// binary is this program, built once, where every user may run it.
var binary struct {
	sync.Once
	dir string
	err error
}

func TestMain(m *testing.M) {
	status := m.Run()
	if binary.dir != "" {
		_ = os.RemoveAll(binary.dir)
	}
	os.Exit(status)
}

// program is the path of the built program.
func program(t testing.TB) string {
	t.Helper()
	binary.Do(func() {
		if binary.dir, binary.err = os.MkdirTemp("", "rawcat-"); binary.err != nil {
			return
		}
		if binary.err = os.Chmod(binary.dir, 0o755); binary.err != nil {
			return
		}
		if out, err := exec.Command("go", "build", "-o", filepath.Join(binary.dir, "rawcat"), ".").CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("build: %w: %s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return filepath.Join(binary.dir, "rawcat")
}

// cat is a rawcat that runs on a host.
type cat struct {
	t      *testing.T
	cmd    *netlab.Cmd
	out    bytes.Buffer
	errors *bufio.Scanner
	lines  []string // of standard error
}

// startCat starts one that sends b. A listener listens when it returns. Without root it has CAP_NET_RAW alone.
func startCat(t *testing.T, h *netlab.Host, root bool, b []byte, args ...string) *cat {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	c := &cat{t: t, cmd: h.Command(ctx, program(t), append(args, "--stats")...)}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Dir = bytes.NewReader(b), &c.out, "/"
	if !root {
		c.cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, AmbientCaps: []uintptr{unix.CAP_NET_RAW},
		}
	}
	pipe, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.errors = bufio.NewScanner(pipe)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if args[0] == "listen" && (!c.errors.Scan() || !strings.Contains(c.errors.Text(), "listening")) {
		t.Fatalf("%q, want it to listen", c.errors.Text())
	}
	return c
}

// wait waits for the end and gives the figures.
func (c *cat) wait() (f figures, err error) {
	for c.errors.Scan() {
		c.lines = append(c.lines, c.errors.Text())
		if strings.HasPrefix(c.errors.Text(), "{") {
			if err := json.Unmarshal(c.errors.Bytes(), &f); err != nil {
				c.t.Error(err)
			}
		}
	}
	return f, c.cmd.Wait()
}

// pattern is n bytes that are nowhere alike.
func pattern(n int, x uint32) []byte {
	b := make([]byte, n)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

// kernelTalk sends send by a connection of the kernel's and closes that way, while it wants exactly want.
func kernelTalk(conn net.Conn, send, want []byte) error {
	_ = conn.SetDeadline(time.Now().Add(patience))
	defer conn.Close()
	wrote := make(chan error, 1)
	go func() {
		_, err := conn.Write(send)
		if err == nil {
			err = conn.(*net.TCPConn).CloseWrite()
		}
		wrote <- err
	}()
	got, err := io.ReadAll(conn)
	if err != nil {
		return fmt.Errorf("kernel reads: %w", err)
	}
	if err := <-wrote; err != nil {
		return fmt.Errorf("kernel writes: %w", err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("kernel got %d bytes, want the %d that were sent", len(got), len(want))
	}
	return nil
}

// resets is how many RSTs the kernel of a host has sent.
func resets(t *testing.T, h *netlab.Host) int {
	t.Helper()
	var text []byte
	if err := h.Do(func() (err error) {
		text, err = os.ReadFile("/proc/thread-self/net/snmp")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if f[0] != "Tcp:" {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i, name := range names {
			if name == "OutRsts" {
				n, err := strconv.Atoi(f[i])
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
	}
	t.Fatal("no OutRsts in /proc/net/snmp")
	return 0
}

// exchange is a conversation of a rawcat with the kernel of another host.
type exchange struct {
	from, to   *netlab.Host // who opens and who listens
	at         netip.Addr   // of to
	catListens bool
	unroot     bool // rawcat runs as nobody with CAP_NET_RAW
	args       []string
	up, down   []byte // what the one who opens sends, and gets
}

// run has the conversation, checks the bytes on both sides and that no kernel has answered with RST, and gives rawcat's
// figures.
func (x exchange) run(t *testing.T) (f figures) {
	t.Helper()
	address := netip.AddrPortFrom(x.at, listenPort).String()
	var c *cat
	var kernel net.Conn
	send, want := x.down, x.up // the kernel's
	if x.catListens {
		c = startCat(t, x.to, !x.unroot, x.down, append([]string{"listen", "--on", address}, x.args...)...)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		var err error
		if kernel, err = x.from.Dial(ctx, "tcp", address); err != nil {
			t.Fatal(err)
		}
		send, want = x.up, x.down
	} else {
		l, err := x.to.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c = startCat(t, x.from, !x.unroot, x.up, append([]string{"connect", "--to", address}, x.args...)...)
		_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
		if kernel, err = l.Accept(); err != nil {
			_, exit := c.wait()
			t.Fatal(err, exit, c.lines)
		}
	}
	before := resets(t, x.from) + resets(t, x.to) // after rawcat has proved, by a RST, what would happen on another port
	if err := kernelTalk(kernel, send, want); err != nil {
		t.Error(err)
	}
	f, err := c.wait()
	if err != nil {
		t.Errorf("rawcat: %v: %q", err, c.lines)
	}
	if !bytes.Equal(c.out.Bytes(), send) {
		t.Errorf("rawcat got %d bytes, want the %d that were sent", c.out.Len(), len(send))
	}
	if f.In != int64(len(send)) || f.Out != int64(len(want)) {
		t.Errorf("figures: %+v", f)
	}
	if n := resets(t, x.from) + resets(t, x.to) - before; n != 0 {
		t.Errorf("the kernels have sent %d RSTs", n)
	}
	return f
}
