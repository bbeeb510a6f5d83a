package program

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"hawser/proxy/admin"
)

// pollTime is between two looks at what cannot be waited for otherwise.
const pollTime = 50 * time.Millisecond

// Get asks the admin port for a path and gives HTTP status and body.
func (p *Process) Get(path string) (status int, body []byte) {
	p.tb.Helper()
	client := http.Client{
		Timeout:   Patience,
		Transport: &http.Transport{Proxy: nil, DialContext: p.options.dial, DisableKeepAlives: true},
	}
	response, err := client.Get("http://" + p.AdminAddr().String() + path)
	if err != nil {
		p.tb.Fatalf("%s: %v", p.name, err)
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		p.tb.Fatalf("%s: %s: %v", p.name, path, err)
	}
	return response.StatusCode, body
}

// Status is the program's status by its API.
func (p *Process) Status() (s admin.Status) {
	p.tb.Helper()
	code, body := p.Get(admin.PathStatus)
	if err := json.Unmarshal(body, &s); err != nil || code != http.StatusOK {
		p.tb.Fatalf("%s: status: HTTP %d, %v: %s", p.name, code, err, body)
	}
	return s
}

// AwaitStatus asks for the status until it is as wanted; what says in words what that is.
func (p *Process) AwaitStatus(what string, want func(admin.Status) bool) admin.Status {
	p.tb.Helper()
	var last admin.Status
	Await(p.tb, what, Patience, func() bool {
		last = p.Status()
		return want(last)
	}, func() string { return fmt.Sprintf("%+v", last) })
	return last
}

// AwaitHealthy waits until the program says that it works.
func (p *Process) AwaitHealthy() {
	p.tb.Helper()
	var body []byte
	Await(p.tb, p.name+" is healthy", Patience, func() (ok bool) {
		var code int
		code, body = p.Get(admin.PathHealth)
		return code == http.StatusOK
	}, func() string { return string(body) })
}

// Metric is the value of a metric without labels; 0: there is none.
func (p *Process) Metric(name string) float64 {
	p.tb.Helper()
	_, body := p.Get(admin.PathMetrics)
	for line := range bytes.Lines(body) {
		if value, ok := bytes.CutPrefix(line, []byte(name+" ")); ok {
			v, err := strconv.ParseFloat(string(bytes.TrimSpace(value)), 64)
			if err != nil {
				p.tb.Fatalf("%s: metric %s: %v", p.name, name, err)
			}
			return v
		}
	}
	return 0
}

// Memory is what the process holds now and has held at most, bytes of resident memory (Linux only).
func (p *Process) Memory() (now, peak int) {
	p.tb.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		p.tb.Fatalf("%s: memory: %v", p.name, err)
	}
	for line := range bytes.Lines(b) {
		kB := 0
		if _, err := fmt.Sscanf(string(line), "VmRSS: %d kB", &kB); err == nil {
			now = kB << 10
		}
		if _, err := fmt.Sscanf(string(line), "VmHWM: %d kB", &kB); err == nil {
			peak = kB << 10
		}
	}
	if now == 0 || peak == 0 {
		p.tb.Fatalf("%s: memory: the system does not tell", p.name)
	}
	return now, peak
}

// Await polls until a condition holds; what names it and state, which may be nil, tells how far it came. It is for
// conditions that nothing announces.
func Await(tb testing.TB, what string, patience time.Duration, holds func() bool, state func() string) {
	tb.Helper()
	timeout := time.After(patience)
	tick := time.NewTicker(pollTime)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-timeout:
			last := ""
			if state != nil {
				last = ": " + state()
			}
			tb.Fatalf("after %v still not so: %s%s", patience, what, last)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
