package hostile

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hawser/proxy/admin"
	"hawser/test/netlab"
	"hawser/test/program"
)

func TestInterfaceThatDoesNotExist(t *testing.T) {
	t.Parallel() // it waits for time-outs
	w := newWorld(t)
	running := w.transfer(t)
	client := w.site.StartClient("home", w.plain, program.Options{Env: []string{"HAWSER_UPLINKS=hwnone0"}})
	client.Await("interface hwnone0 does not exist")
	client.AwaitStatus("the uplink is waited for", func(s admin.Status) bool {
		return len(s.Uplinks) == 1 && s.Uplinks[0].State == admin.UplinkWaiting &&
			s.Uplinks[0].Reason == "interface hwnone0 does not exist"
	})
	start := time.Now()
	web := dial(t, client.ProxyAddr())
	say(t, web, fmt.Appendf(nil, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\n\r\n", w.echo))
	if _, code := socks(t, client.ProxyAddr(), w.echo.Addr().String(), w.echo.Port(), ""); code != netUnreachable {
		t.Errorf("SOCKS reply %d, want 3, network unreachable", code)
	}
	if took := time.Since(start); took < 9*time.Second || took > 15*time.Second {
		t.Errorf("the refusal took %v, want the 10 s that a stream waits for an uplink", took)
	}
	if answer := string(hear(t, web, 12)); answer != "HTTP/1.1 503" {
		t.Errorf("CONNECT is answered %q, want HTTP/1.1 503", answer)
	}
	if status := client.Stop(); status != 0 {
		t.Errorf("exit status %d after SIGTERM, want 0", status)
	}

	t.Log("# beside one that does")
	both := w.site.StartClient("home", w.plain, program.Options{Env: []string{"HAWSER_UPLINKS=hwnone0,127.0.0.1"}})
	both.AwaitHealthy()
	exchange(t, both.ProxyAddr(), w.echo)
	running.finish(t)
	wantAlive(t, w)
}

func TestInterfaceThatComesLater(t *testing.T) {
	lab := netlab.New(t)
	near, far := lab.Host("near"), lab.Host("far")
	addr := netip.MustParseAddr("10.77.0.2") // of the server, on a link that is not there yet
	site := program.NewSite(t, addr.String())
	site.Join("home")
	server := site.StartServer(program.Options{Host: far, Env: []string{
		"HAWSER_LISTEN_PLAIN=:0", "HAWSER_EGRESS_ALLOW=127.0.0.0/8",
	}})
	plain := server.PlainAddr()
	echo, err := far.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveEcho(t, echo)
	client := site.StartClient("home", plain, program.Options{Host: near, Env: []string{"HAWSER_UPLINKS=late0"}})
	client.Await("interface late0 does not exist")

	t.Log("# it comes")
	lab.Link(near, far, netlab.LinkConfig{Name: "late0", A: []string{"10.77.0.1/24"}, B: []string{addr.String() + "/24"}})
	start := time.Now()
	client.AwaitHealthy()
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("the interface was used %v after it came, want some seconds", took)
	}
	err = near.Do(func() error {
		exchange(t, client.ProxyAddr(), addrPort(echo.Addr()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantGone(t, &world{client: client, server: server})
}

// TestNameThatResolvesToAPrivateAddress gives the server a hosts file of its own.
func TestNameThatResolvesToAPrivateAddress(t *testing.T) {
	t.Parallel() // it waits for a name server that may not be there
	netlab.NeedRoot(t)
	hosts := filepath.Join(t.TempDir(), "hosts")
	text := "127.0.0.1 localhost\n10.1.2.3 intranet.example\n192.168.7.7 mixed.example\n127.0.0.1 mixed.example\nfd00::7 six.example\n"
	if err := os.WriteFile(hosts, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	site, echo := program.NewSite(t, "127.0.0.1"), newEcho(t)
	site.Join("home")
	server := site.StartServer(program.Options{Set: func(c *exec.Cmd) {
		const mount = `mount --make-rprivate / && mount --bind "$0" /etc/hosts && exec "$@"`
		c.Args = append([]string{"sh", "-c", mount, hosts, c.Path}, c.Args[1:]...)
		c.Path = "/bin/sh"
		c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	}})
	client := site.StartClient("home", server.PlainAddr(), program.Options{})
	client.AwaitHealthy()
	for name, want := range map[string]byte{
		"intranet.example": notAllowed, "six.example": notAllowed, "mixed.example": succeeded, "nowhere.invalid": hostUnreachable,
	} {
		if _, code := socks(t, client.ProxyAddr(), name, echo.Port(), ""); code != want {
			t.Errorf("%s: SOCKS reply %d, want %d", name, code, want)
		}
	}
	status, body := httpVia(t, client.ProxyAddr(), fmt.Sprintf("http://intranet.example:%d/", echo.Port()))
	if status != 403 || !strings.Contains(body, "10.1.2.3") || !strings.Contains(body, "egress.allow") {
		t.Errorf("HTTP %d %q, want 403 with the address and what allows it", status, body)
	}
	wantGone(t, &world{client: client, server: server})
}
