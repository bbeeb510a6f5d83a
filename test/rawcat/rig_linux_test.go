package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
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

// built is this program, built once, where every user may run it.
var built struct {
	sync.Once
	dir string
	err error
}

// conversations is how many tests that say they may run side by side: they wait for links more than they compute.
const conversations = 12

func TestMain(m *testing.M) {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		if err := flag.Set("test.parallel", strconv.Itoa(conversations)); err != nil {
			panic("BUG: rawcat: " + err.Error())
		}
	}
	status := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(status)
}

// program is the path of the built program.
func program(t testing.TB) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "rawcat-"); built.err != nil {
			return
		}
		if built.err = os.Chmod(built.dir, 0o755); built.err != nil {
			return
		}
		if out, err := exec.Command("go", "build", "-o", filepath.Join(built.dir, "rawcat"), ".").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("build: %w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "rawcat")
}

// cat is a rawcat that runs on a host.
type cat struct {
	t      *testing.T
	cmd    *netlab.Cmd
	out    *verifier
	errors *bufio.Scanner
	lines  []string // of standard error
}

// catConfig is what a cat is started with.
type catConfig struct {
	host     *netlab.Host
	unroot   bool // it runs as nobody, with CAP_NET_RAW alone
	send     stream
	want     stream
	patience time.Duration // it is killed after that
	args     []string
}

// startCat starts one. A listener listens when it returns.
func startCat(t *testing.T, cfg catConfig) *cat {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), cfg.patience)
	t.Cleanup(cancel)
	c := &cat{t: t, cmd: cfg.host.Command(ctx, program(t), append(cfg.args, "--stats")...), out: newVerifier(cfg.want)}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Dir = cfg.send.source(), c.out, "/"
	if cfg.unroot {
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
	if cfg.args[0] == "listen" && (!c.errors.Scan() || !strings.Contains(c.errors.Text(), "listening")) {
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

// kernelTalk sends send by a connection of the kernel's and closes that way, while it wants exactly want.
func kernelTalk(conn net.Conn, send, want stream, patience time.Duration) error {
	_ = conn.SetDeadline(time.Now().Add(patience))
	defer conn.Close()
	wrote := make(chan error, 1)
	go func() {
		_, err := io.Copy(conn, send.source())
		if err == nil {
			err = conn.(*net.TCPConn).CloseWrite()
		}
		wrote <- err
	}()
	v := newVerifier(want)
	if _, err := io.Copy(v, conn); err != nil {
		return fmt.Errorf("kernel reads, after %d bytes: %w", v.got, err)
	}
	if err := <-wrote; err != nil {
		return fmt.Errorf("kernel writes: %w", err)
	}
	return v.err()
}

// setCongestion chooses the congestion control of a connection of the kernel's, if the kernel has it.
func setCongestion(conn net.Conn, name string) error {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	if e := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, name)
	}); e != nil {
		return e
	}
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
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
	up, down   stream        // what the one who opens sends, and gets
	congestion string        // control of both ends; empty: what each has by itself
	patience   time.Duration // 0: patience
}

// begin starts rawcat and opens the connection.
func (x *exchange) begin(t *testing.T) (c *cat, kernel net.Conn) {
	t.Helper()
	address := netip.AddrPortFrom(x.at, listenPort).String()
	cfg := catConfig{host: x.from, unroot: x.unroot, send: x.up, want: x.down, patience: x.patience}
	cfg.args = append([]string{"connect", "--to", address}, x.args...)
	if x.congestion != "" {
		cfg.args = append(cfg.args, "--congestion", x.congestion)
	}
	if x.catListens {
		cfg.host, cfg.send, cfg.want = x.to, x.down, x.up
		cfg.args[0], cfg.args[1] = "listen", "--on"
		c = startCat(t, cfg)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		kernel, err := x.from.Dial(ctx, "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return c, kernel
	}
	l, err := x.to.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c = startCat(t, cfg)
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	if kernel, err = l.Accept(); err != nil {
		_, exit := c.wait()
		t.Fatal(err, exit, c.lines)
	}
	return c, kernel
}

// run has the conversation, checks the bytes on both sides and that the kernel of rawcat's host has answered nothing with
// RST, and gives rawcat's figures. The other kernel may: to what comes twice, once it has forgotten a connection that ended.
func (x exchange) run(t *testing.T) (f figures) {
	t.Helper()
	if x.patience == 0 {
		x.patience = patience
	}
	c, kernel := x.begin(t)
	ours := x.from
	if x.catListens {
		ours = x.to
	}
	before := resets(t, ours) // after rawcat has proved, by a RST, what would happen on another port
	if x.congestion != "" {
		if err := setCongestion(kernel, x.congestion); err != nil {
			t.Error(err)
		}
	}
	send, want := x.down, x.up // the kernel's
	if x.catListens {
		send, want = x.up, x.down
	}
	if err := kernelTalk(kernel, send, want, x.patience); err != nil {
		t.Errorf("at the kernel's end: %v", err)
	}
	f, err := c.wait()
	if err != nil {
		t.Errorf("rawcat: %v: %q", err, c.lines)
	}
	if err := c.out.err(); err != nil {
		t.Errorf("at rawcat's end: %v", err)
	}
	if f.In != send.size || f.Out != want.size {
		t.Errorf("figures: %+v", f)
	}
	if n := resets(t, ours) - before; n != 0 {
		t.Errorf("the kernel of rawcat's host has sent %d RSTs", n)
	}
	return f
}
