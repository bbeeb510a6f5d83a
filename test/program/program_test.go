package program

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"hawser/proxy/admin"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestPairOfPrograms(t *testing.T) {
	t.Setenv("HAWSER_LISTEN", "nonsense") // the tester's own must not get through
	site := NewSite(t, "127.0.0.1")
	site.Join("home")
	server := site.StartServer(Options{})
	client := site.StartClient("home", server.PlainAddr(), Options{Env: []string{"HAWSER_SESSIONS_MIN=3"}})
	client.AwaitHealthy()
	s := client.AwaitStatus("three sessions", func(s admin.Status) bool { return len(s.Sessions) == 3 })
	if s.Role != admin.RoleClient || !client.ProxyAddr().IsValid() || !client.Running() {
		t.Errorf("status %+v, proxy at %v", s, client.ProxyAddr())
	}
	if n := server.Metric("go_goroutines"); n < 2 {
		t.Errorf("the server has %v goroutines", n)
	}
	if n := server.Metric("no_such_metric"); n != 0 {
		t.Errorf("a metric that there is not is %v", n)
	}
	mark := client.Mark()
	site.Revoke("home")
	client.AwaitAfter(mark, "key not listed or revoked")
	if status := client.Stop(); status != 0 || client.Running() {
		t.Errorf("client: status %d after SIGTERM, running %v", status, client.Running())
	}
	server.Kill()
	if status := server.Wait(Patience); status != -1 {
		t.Errorf("server: status %d after a kill, want -1", status)
	}
}

func TestRunGivesStatusAndBothOutputs(t *testing.T) {
	good := Run(t, Client, Options{Args: []string{"version"}})
	if good.Status != 0 || good.Out == "" || good.Err != "" {
		t.Errorf("version: %+v", good)
	}
	bad := Run(t, Server, Options{Args: []string{"-c", "none.yaml", "run"}, Dir: t.TempDir()})
	if bad.Status != 2 || bad.Out != "" || !strings.Contains(bad.Err, "none.yaml") {
		t.Errorf("run without a file: %+v", bad)
	}
}

func TestLogWaitsForWholeLines(t *testing.T) {
	l := newLog()
	var got string
	var err error
	var wait sync.WaitGroup
	wait.Go(func() { got, err = l.await(0, Patience, "two", "words") })
	for _, part := range []string{"one\ntwo ", "wor", "ds\nrest"} {
		_, _ = l.Write([]byte(part)) // never fails
	}
	if wait.Wait(); got != "two words" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := l.await(len("one\ntwo words\n"), time.Millisecond, "two"); err == nil {
		t.Error("a line ahead of the offset was found")
	}
	l.end()
	if _, err := l.await(0, Patience, "rest"); err != errEnded {
		t.Errorf("half a line of a process that has ended: %v, want %v", err, errEnded)
	}
}
