package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hawser/test/netlab"
)

// soon is how long a command that is wrong may take: far less than a peer that does not answer.
const soon = 10 * time.Second

// refuse runs rawcat, which has to fail soon and say what it should.
func refuse(t *testing.T, h *netlab.Host, want string, nobodys bool, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	cmd := h.Command(ctx, program(t), args...)
	cmd.Dir = "/"
	if nobodys {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	var out strings.Builder
	cmd.Stderr = &out
	if err := cmd.Run(); err == nil || ctx.Err() != nil || !strings.Contains(out.String(), want) {
		t.Errorf("%v: %v, %v, %q, want %q", args, err, ctx.Err(), out.String(), want)
	}
}

func TestWrongCommandLines(t *testing.T) {
	lab := netlab.New(t)
	a, b := lab.Host("a"), lab.Host("b")
	link := lab.Link(a, b, netlab.LinkConfig{})
	mine, peer := link.Addr(netlab.SideA), netip.AddrPortFrom(link.Addr(netlab.SideB), listenPort).String()
	zone := link.Interface(netlab.SideA)
	at := func(host any) string { return fmt.Sprintf("%v:%d", host, listenPort) }
	for _, c := range []struct {
		want string
		args []string
	}{
		{"Usage:", nil},
		{"unknown command", []string{"send"}},
		{"names are not looked up", []string{"connect", "--to", at("localhost")}},
		{"an address of this machine", []string{"connect", "--to", at(mine)}},
		{"an address of this machine", []string{"connect", "--to", at("127.0.0.1")}},
		{"an address of this machine", []string{"connect", "--to", at("127.1.2.3")}},
		{"an address of this machine", []string{"connect", "--to", at("[::1]")}},
		{"an address of this machine", []string{"connect", "--to", fmt.Sprintf("[::ffff:%v]:%d", mine, listenPort)}},
		{"all addresses of this machine", []string{"connect", "--to", at("0.0.0.0")}},
		{"all addresses of this machine", []string{"connect", "--to", at("[::]")}},
		{"that is a group", []string{"connect", "--to", at("224.0.0.1")}},
		{"that is a group", []string{"connect", "--to", at("255.255.255.255")}},
		{"both must be IPv4, or both IPv6", []string{"connect", "--to", peer, "--from", link.Addr6(netlab.SideA).String()}},
		{"no other machine can answer", []string{"connect", "--to", peer, "--from", "127.0.0.1"}},
		{"without a port", []string{"connect", "--to", peer, "--from", at(mine)}},
		{"needs its interface", []string{"connect", "--to", at("[fe80::99]")}},
		{"no interface nowhere", []string{"connect", "--to", at("[fe80::99%nowhere]")}},
		{"they must be the same", []string{"connect", "--to", at("[fe80::99%" + zone + "]"), "--from", "fe80::1%lo"}},
		{"not link-local: leave", []string{"connect", "--to", at("[2001:db8::99%" + zone + "]")}},
		{"no interface has the address 192.0.2.9", []string{"listen", "--on", at("192.0.2.9")}},
		{"does not have the address fe80::99", []string{"listen", "--on", at("[fe80::99%" + zone + "]")}},
		{"needs its interface", []string{"listen", "--on", at("[fe80::99]")}},
		{"other machines only", []string{"listen", "--on", at("127.0.0.1")}},
		{"choose one of bbr, cubic, reno\n", []string{"connect", "--to", peer, "--congestion", "vegas"}},
		{"choose one of bbr, cubic, reno\n", []string{"connect", "--to", peer, "--congestion", "paced"}},
		{"0 or more", []string{"connect", "--to", peer, "--zeros", "-5"}},
		{"start the peer first", []string{"connect", "--to", peer}},
	} {
		refuse(t, a, c.want, false, c.args...)
	}
	refuse(t, a, "raw sockets need CAP_NET_RAW", true, "connect", "--to", peer)
	refuse(t, a, "raw sockets need CAP_NET_RAW", true, "listen", "--on", at("0.0.0.0"))
	refuse(t, a, "needs CAP_NET_BIND_SERVICE as well", true, "listen", "--on", "0.0.0.0:80")
}

func TestAPortInUseIsRefused(t *testing.T) {
	h := netlab.New(t).Host("a")
	l, err := h.Listen("tcp", fmt.Sprintf("0.0.0.0:%d", listenPort))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	refuse(t, h, "is in use", false, "listen", "--on", fmt.Sprintf("[::]:%d", listenPort))
}

// The line of --stats comes at the end of whatever happens.
func TestStatsOfAFailure(t *testing.T) {
	lab := netlab.New(t)
	a, b := lab.Host("a"), lab.Host("b")
	link := lab.Link(a, b, netlab.LinkConfig{})
	for to, path := range map[string]string{
		netip.AddrPortFrom(link.Addr(netlab.SideB), listenPort).String(): "gso", // refused
		netip.AddrPortFrom(link.Addr(netlab.SideA), listenPort).String(): "",    // nothing was opened
	} {
		cmd := a.Command(t.Context(), program(t), "connect", "--stats", "--to", to)
		var out strings.Builder
		cmd.Stderr = &out
		if cmd.Run() == nil {
			t.Errorf("connected to %s", to)
		}
		var f figures
		line, _, _ := strings.Cut(out.String(), "\n")
		if err := json.Unmarshal([]byte(line), &f); err != nil || f.Path != path || f.In+f.Out != 0 {
			t.Errorf("to %s: %v: %q", to, err, out.String())
		}
	}
}

// linkLocal is the link-local address of a host on its interface, with the zone.
func linkLocal(t *testing.T, h *netlab.Host, name string) netip.Addr {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) { // until no other host is known to have it
		out, err := h.Command(t.Context(), "ip", "-6", "-o", "addr", "show", "dev", name, "scope", "link", "-tentative").Output()
		if err != nil {
			t.Fatal(err)
		}
		if f := strings.Fields(string(out)); len(f) > 3 {
			return netip.MustParsePrefix(f[3]).Addr().WithZone(name)
		}
	}
	t.Fatalf("%s has no link-local address on %s", h.Name(), name)
	return netip.Addr{}
}

func TestLinkLocalAddressesWork(t *testing.T) {
	lab := netlab.New(t)
	a, b := lab.Host("a"), lab.Host("b")
	link := lab.Link(a, b, netlab.LinkConfig{})
	there := linkLocal(t, b, link.Interface(netlab.SideB))
	here := linkLocal(t, a, link.Interface(netlab.SideA))
	on := netip.AddrPortFrom(there, listenPort).String()
	to := netip.AddrPortFrom(there.WithZone(here.Zone()), listenPort).String()
	for _, from := range [][]string{nil, {"--from", here.String()}, {"--from", here.WithZone("").String()}} {
		up, down := stream{1, megabyte}, stream{2, megabyte}
		server := startCat(t, catConfig{host: b, send: down, want: up, patience: patience, args: []string{"listen", "--on", on}})
		client := startCat(t, catConfig{host: a, send: up, want: down, patience: patience, args: append([]string{"connect", "--to", to}, from...)})
		for _, c := range []*cat{client, server} {
			if _, err := c.wait(); err != nil || c.out.err() != nil {
				t.Errorf("from %v: %v, %v, %q", from, err, c.out.err(), c.lines)
			}
		}
	}
}

// besideKernel gives a host, and the kernel's listener on another that a link leads to.
func besideKernel(t *testing.T) (*netlab.Host, net.Listener) {
	t.Helper()
	lab := netlab.New(t)
	a, b := lab.Host("a"), lab.Host("b")
	link := lab.Link(a, b, netlab.LinkConfig{})
	l, err := b.Listen("tcp", netip.AddrPortFrom(link.Addr(netlab.SideB), listenPort).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return a, l
}

// A reader of standard output that goes away is an error, and the peer hears of it.
func TestNobodyReadsStandardOutput(t *testing.T) {
	a, l := besideKernel(t)
	at := l.Addr().String()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	open, stdin, err := os.Pipe() // standard input does not end
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	defer open.Close()
	cmd := a.Command(t.Context(), program(t), "connect", "--to", at)
	var out strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = open, w, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	kernel, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	_ = kernel.SetDeadline(time.Now().Add(patience))
	_, _ = kernel.Write([]byte("nobody reads this"))
	if _, err := io.Copy(io.Discard, kernel); err == nil {
		t.Error("the peer has not been told")
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(out.String(), "broken pipe") {
		t.Errorf("%v: %q", err, out.String())
	}
}

// A signal ends each command at any time, with a word and a RST for the peer.
func TestSignals(t *testing.T) {
	lab := netlab.New(t)
	a, b := lab.Host("a"), lab.Host("b")
	link := lab.Link(a, b, netlab.LinkConfig{})
	at := netip.AddrPortFrom(link.Addr(netlab.SideB), listenPort).String()
	for _, sig := range []os.Signal{unix.SIGINT, unix.SIGTERM} {
		waiting := startCat(t, catConfig{host: b, patience: patience, args: []string{"listen", "--on", at}})
		_ = waiting.cmd.Process.Signal(sig)
		if _, err := waiting.wait(); err == nil || !strings.Contains(strings.Join(waiting.lines, " "), "before anybody has connected") {
			t.Errorf("%v: %v: %q", sig, err, waiting.lines)
		}
		l, err := b.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		talking := startCat(t, catConfig{host: a, send: stream{1, 1 << 40}, patience: patience, args: []string{"connect", "--to", at}})
		kernel, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = kernel.SetDeadline(time.Now().Add(patience))
		_, _ = io.ReadFull(kernel, make([]byte, megabyte))
		_ = talking.cmd.Process.Signal(sig)
		if _, err := talking.wait(); err == nil || !strings.Contains(strings.Join(talking.lines, " "), "stopped by a signal") {
			t.Errorf("%v: %v: %q", sig, err, talking.lines)
		}
		if _, err := io.Copy(io.Discard, kernel); err == nil {
			t.Errorf("%v: the peer takes it for the end in order", sig)
		}
		_ = kernel.Close()
		_ = l.Close()
	}
}

// In TIME-WAIT both directions have been closed in order, and the peer knows: a signal shortens the wait, no more.
func TestASignalAfterTheEndIsNoFailure(t *testing.T) {
	a, l := besideKernel(t)
	at := l.Addr().String()
	c := startCat(t, catConfig{host: a, patience: patience, args: []string{"connect", "--to", at}})
	kernel, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = kernel.SetDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, kernel); err != nil {
		t.Fatal(err)
	}
	if err := kernel.(*net.TCPConn).SetLinger(int(patience / time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := kernel.Close(); err != nil { // returns when our end has acknowledged the kernel's FIN
		t.Fatal(err)
	}
	_ = c.cmd.Process.Signal(unix.SIGTERM)
	if _, err := c.wait(); err != nil {
		t.Errorf("%v: %q", err, c.lines)
	}
}
