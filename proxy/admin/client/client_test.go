package client

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hawser/proxy/admin"
)

var update = flag.Bool("update", false, "write the golden files anew")

// source is a program whose state a test sets.
type source struct {
	status admin.Status
	sick   string
	asked  atomic.Int32
}

func (s *source) Status() admin.Status    { s.asked.Add(1); return s.status }
func (s *source) Healthy() (bool, string) { return s.sick == "", s.sick }

// healthy is a client with one uplink that works.
func healthy() admin.Status {
	return admin.Status{
		Version: "1.2.3", Role: admin.RoleClient, Uptime: 3661, Streams: 3,
		Uplinks: []admin.Uplink{
			{Name: "dsl", Interface: "eth0", Address: "192.0.2.7", State: admin.UplinkUp, Carrier: "plain", Reason: "raw carrier: no CAP_NET_RAW",
				RTT: 9.54, Loss: 0.0012, UpRate: 950_000, DownRate: 9_500_000, BytesUp: 999, BytesDown: 5_000_000_000},
			{Name: "tun0", State: admin.UplinkDisabled, Reason: "tunnel: name it to use it"},
		},
		Sessions: []admin.Session{
			{ID: "a1", State: admin.SessionEstablished, Streams: 3, Subflows: []admin.Subflow{
				{ID: "1", Uplink: "dsl", Carrier: "plain", State: admin.SubflowActive, RTT: 12.4, Cwnd: 65536, InFlight: 1448, Retransmits: 3, Reinjected: 1},
				{ID: "2", Uplink: "dsl", Carrier: "plain", State: admin.SubflowSuspect, Reason: "silent for \x1b[2J 400 ms"},
			}},
			{ID: "a2", State: admin.SessionConnecting},
		},
	}
}

// serve runs a real admin server and gives a client of it.
func serve(t *testing.T, src admin.Source, token, clientToken string) *Client {
	t.Helper()
	s, err := admin.Listen(admin.Config{Address: "127.0.0.1:0", Token: token}, src)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-done); err != nil {
			t.Error(err)
		}
	})
	c, err := New(s.Addr().String(), clientToken)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStatusCommand(t *testing.T) {
	down := healthy()
	down.Uplinks[0].State, down.Uplinks[0].Reason = admin.UplinkDown, "no answer\nfor 3 s"
	alone := healthy()
	alone.Sessions = alone.Sessions[1:]
	server := admin.Status{Role: admin.RoleServer}
	for _, c := range []struct {
		name          string
		status        admin.Status
		sick          string
		token, mine   string
		exit          Exit
		errorContains string
	}{
		{"healthy", healthy(), "", "", "", ExitHealthy, ""},
		{"with token", healthy(), "", "secret", "secret", ExitHealthy, ""},
		{"an uplink down", down, "", "", "", ExitDegraded, "degraded: uplink dsl is down: no answer?for 3 s\n"},
		{"no session", alone, "", "", "", ExitDegraded, "degraded: no session is established\n"},
		{"a server without clients", server, "", "", "", ExitHealthy, ""},
		{"a server that is sick", server, "the plain port is closed", "", "", ExitDegraded, "degraded: unhealthy: the plain port is closed\n"},
		{"wrong token", healthy(), "", "secret", "other", ExitUnreachable, "401 Unauthorized: admin_token is needed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := serve(t, &source{status: c.status, sick: c.sick}, c.token, c.mine)
			var out, errOut bytes.Buffer
			if got := client.Show(t.Context(), Options{}, &out, &errOut); got != c.exit {
				t.Errorf("exit status %d, want %d", got, c.exit)
			}
			if !strings.Contains(errOut.String(), c.errorContains) || c.errorContains == "" && errOut.Len() > 0 {
				t.Errorf("standard error is %q, want %q", &errOut, c.errorContains)
			}
			if (out.Len() == 0) != (c.exit == ExitUnreachable) {
				t.Errorf("standard output is %q", &out)
			}
		})
	}
}

// freeAddress is an address on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestNobodyThere(t *testing.T) {
	address := freeAddress(t)
	c, err := New(address, "")
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	if got := c.Show(t.Context(), Options{}, &out, &errOut); got != ExitUnreachable {
		t.Errorf("exit status %d", got)
	}
	if text := errOut.String(); !strings.Contains(text, address) || !strings.Contains(text, "is the program running?") {
		t.Errorf("standard error is %q", text)
	}
	if err := c.Health(t.Context()); err == nil || errors.Is(err, ErrUnhealthy) {
		t.Errorf("health check says %v", err)
	}
}

func TestNotAHawserProgram(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html>a router</html>"))
	})}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	c, err := New(l.Addr().String(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Status(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer as a hawser program") {
		t.Errorf("error is %v", err)
	}
}

func TestJSONIsWhatTheProgramSaid(t *testing.T) {
	c := serve(t, &source{status: healthy()}, "", "")
	_, raw, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	if got := c.Show(t.Context(), Options{JSON: true}, &out, &errOut); got != ExitHealthy {
		t.Errorf("exit status %d: %s", got, &errOut)
	}
	if !bytes.Equal(out.Bytes(), raw) || bytes.Count(raw, []byte("\n")) != 1 {
		t.Errorf("printed %q, the program said %q", &out, raw)
	}
}

// lineWriter ends a watch after n writes.
type lineWriter struct {
	bytes.Buffer
	left int
	stop context.CancelFunc
}

func (w *lineWriter) Write(b []byte) (int, error) {
	if w.left--; w.left <= 0 {
		w.stop()
	}
	return w.Buffer.Write(b)
}

func TestWatchGoesOnUntilItIsStopped(t *testing.T) {
	src := &source{status: healthy()}
	c := serve(t, src, "", "")
	ctx, stop := context.WithCancel(t.Context())
	out := &lineWriter{left: 3, stop: stop}
	var errOut bytes.Buffer
	c.Show(ctx, Options{Watch: true, Every: time.Millisecond}, out, &errOut)
	if n := strings.Count(out.String(), clearScreen+"hawser-client 1.2.3"); n != 3 || src.asked.Load() < 3 {
		t.Errorf("%d pages, %d requests", n, src.asked.Load())
	}
}

func TestHealthCheck(t *testing.T) {
	if err := serve(t, &source{}, "secret", "").Health(t.Context()); err != nil {
		t.Errorf("healthy: %v", err)
	}
	err := serve(t, &source{sick: "no uplink works"}, "", "").Health(t.Context())
	if !errors.Is(err, ErrUnhealthy) || err.Error() != "unhealthy: no uplink works" {
		t.Errorf("sick: %v", err)
	}
}

func TestHealthCheckOfAProgramThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mute, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, theirs) }() // reads the request and never answers
		c := &Client{base: "http://127.0.0.1:9090", http: &http.Client{Transport: &http.Transport{
			DialContext: func(context.Context, string, string) (net.Conn, error) { return mute, nil },
		}}}
		began := time.Now()
		err := c.Health(t.Context())
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != HealthTimeout {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		theirs.Close()
	})
}

func TestAddressesThatAreListenedOnCanBeAsked(t *testing.T) {
	for address, want := range map[string]string{
		":9090":          "http://127.0.0.1:9090",
		"0.0.0.0:9090":   "http://127.0.0.1:9090",
		"[::]:9090":      "http://[::1]:9090",
		"[::1]:9090":     "http://[::1]:9090",
		"localhost:9090": "http://localhost:9090",
	} {
		c, err := New(address, "")
		if err != nil || c.base != want {
			t.Errorf("%s: %v %v, want %s", address, c, err, want)
		}
	}
	for _, address := range []string{"", "127.0.0.1"} {
		if _, err := New(address, ""); err == nil || !strings.Contains(err.Error(), "admin") {
			t.Errorf("%q: error is %v", address, err)
		}
	}
}

func TestRender(t *testing.T) {
	var got bytes.Buffer
	if err := Render(&got, healthy()); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "status.txt")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("rendered:\n%s", &got)
	}
}

func TestScaled(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0 B", 999: "999 B", 999.6: "1.0 kB", 9_940: "9.9 kB", 9_960: "10 kB", 999_499: "999 kB", 999_600: "1.0 MB",
		1.5e9: "1.5 GB", 2e18: "2000 PB",
	} {
		if got := scaled(v, "B"); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}
