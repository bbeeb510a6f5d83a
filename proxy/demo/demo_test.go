package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// brief measures for short times: these tests judge what arrives and how it is told, not how fast it was.
var brief = plan{warm: 500 * time.Millisecond, window: time.Second, before: time.Second, after: time.Second}

// busyPort is an address that somebody else listens on.
func busyPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp4", loopback+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln.Addr().String()
}

// wantRatesOnly wants that nothing but rates fell short, as they may on a machine that does other things.
func wantRatesOnly(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		if !strings.Contains(line, " is under 0.9 of ") {
			t.Error(line)
		}
	}
}

func TestOncePrintsTheResultAsJSONWithBusyPorts(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	proxy, dashboard := busyPort(t), busyPort(t)
	began := time.Now()
	wantRatesOnly(t, Run(t.Context(), Options{Once: true, JSON: true, Proxy: proxy, Dashboard: dashboard, Version: "1", Out: &out, Err: &errs, plan: brief}))
	if took := time.Since(began); took > time.Minute {
		t.Errorf("took %v", took)
	}
	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	var r Result
	if err := decoder.Decode(&r); err != nil || decoder.More() {
		t.Fatalf("standard output is not one object: %v\n%s", err, &errs)
	}
	wantPlausible(t, r)
	for _, address := range []string{proxy, dashboard} {
		if !strings.Contains(errs.String(), address+" is not free, another port is used instead") {
			t.Errorf("nothing is said of %s:\n%s", address, &errs)
		}
	}
}

// wantPlausible wants a result that only real transfers over both links can give.
func wantPlausible(t *testing.T, r Result) {
	t.Helper()
	within := func(what string, got int64, rate int) {
		if got < int64(rate/10) || got > int64(rate+rate/4) {
			t.Errorf("%s: %s, want about %s", what, megabits(got), megabits(int64(rate)))
		}
	}
	if len(r.Uplinks) != len(uplinks) {
		t.Fatalf("uplinks %+v", r.Uplinks)
	}
	var carried uint64
	for i, u := range r.Uplinks {
		within(u.Name+" down", u.Down, uplinks[i].Rate)
		within(u.Name+" up", u.Up, uplinks[i].Rate)
		if u.Bytes < 100_000 {
			t.Errorf("%s has carried %d bytes for the bond", u.Name, u.Bytes)
		}
		carried += u.Bytes
	}
	within("bond down", r.Bond.Down, sum())
	within("bond up", r.Bond.Up, sum())
	if least := 2 * uint64(brief.measured(sum())); carried < least {
		t.Errorf("the links have carried %d bytes for the bond, less than the %d of its files", carried, least)
	}
	if r.Cut.Uplink != uplinks[0].Name || r.Cut.Lost != 0 || r.Cut.Gap <= 0 {
		t.Errorf("cut %+v", r.Cut)
	}
}

// screen is an output that waits for words.
type screen struct {
	mu    sync.Mutex
	text  bytes.Buffer
	until string
	seen  chan struct{} // closed when until was written
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := strings.Contains(s.text.String(), s.until)
	s.text.Write(b)
	if !before && strings.Contains(s.text.String(), s.until) {
		close(s.seen)
	}
	return len(b), nil
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestStaysUpUntilItIsToldToEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	out := &screen{until: "until Ctrl-C", seen: make(chan struct{})}
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{Proxy: loopback + ":0", Dashboard: loopback + ":0", Out: out, Err: io.Discard, plan: brief})
	}()
	select {
	case <-out.seen:
	case err := <-ended:
		t.Fatalf("ended with %v:\n%s", err, out)
	}
	text := out.String()
	for _, want := range []string{"dsl alone", "lte alone", "bond", "it went on and arrived whole", "dsl is restored and in use again"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
	if strings.Contains(text, "\x1b") {
		t.Errorf("colours away from a terminal: %q", text)
	}
	t.Log("# meanwhile dashboard and proxy answer where it said")
	dashboard := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(text)
	if body := ask(t, http.MethodGet, dashboard+"api/v1/status", "", http.StatusOK); !strings.Contains(body, `"name":"lte"`) {
		t.Errorf("status %s", body)
	}
	proxy := regexp.MustCompile(`socks5h://(127\.0\.0\.1:\d+)`).FindStringSubmatch(text)
	if proxy == nil {
		t.Fatalf("no proxy is named:\n%s", text)
	}
	conn, err := net.DialTimeout("tcp", proxy[1], 10*time.Second)
	if err != nil {
		t.Error(err)
	} else {
		_ = conn.Close()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestOnceGivesUpWhenItIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	err := Run(ctx, Options{Once: true, JSON: true, Proxy: loopback + ":0", Dashboard: loopback + ":0", Out: &out, Err: io.Discard})
	if err == nil || out.Len() > 0 {
		t.Errorf("gave %v and printed %q", err, &out)
	}
}
