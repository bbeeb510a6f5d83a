package program

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// tailSize is how much of a log a failed test shows, bytes.
const tailSize = 16 << 10

// log keeps what a process writes.
type log struct {
	mu    sync.Mutex
	b     []byte
	ended bool
	news  chan struct{} // closed and replaced when there is more
}

func newLog() *log { return &log{news: make(chan struct{})} }

// Write implements io.Writer.
func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, b...)
	l.wake()
	return len(b), nil
}

// wake is under mu.
func (l *log) wake() {
	close(l.news)
	l.news = make(chan struct{})
}

func (l *log) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.wake()
}

func (l *log) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b)
}

func (l *log) tail() string {
	t := l.text()
	if len(t) > tailSize {
		t = "…" + t[len(t)-tailSize:]
	}
	return t
}

// await waits for a whole line with all the texts, at or behind the offset.
func (l *log) await(offset int, patience time.Duration, texts ...string) (line string, err error) {
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		b, ended, news := l.b[min(offset, len(l.b)):], l.ended, l.news
		l.mu.Unlock()
		if line, ok := find(string(b), texts); ok {
			return line, nil
		}
		if ended {
			return "", errEnded
		}
		select {
		case <-news:
		case <-timeout:
			return "", fmt.Errorf("it is not there after %v", patience)
		}
	}
}

// find gives the first whole line that has all the texts.
func find(b string, texts []string) (string, bool) {
	for line := range strings.Lines(b) {
		ok := strings.HasSuffix(line, "\n")
		for _, text := range texts {
			ok = ok && strings.Contains(line, text)
		}
		if ok {
			return strings.TrimSuffix(line, "\n"), true
		}
	}
	return "", false
}

// Log is what the process has written to standard error so far.
func (p *Process) Log() string { return p.log.text() }

// Logged tells whether the log has a line with all the texts by now.
func (p *Process) Logged(texts ...string) bool {
	_, ok := find(p.log.text(), texts)
	return ok
}

// Mark is the log's present end, for AwaitAfter.
func (p *Process) Mark() int { return len(p.log.text()) }

// Await waits for a line of the log that has all the texts, and gives it. In JSON, which is what programs of a Site log,
// quotes inside a text are escaped.
func (p *Process) Await(texts ...string) string {
	p.tb.Helper()
	return p.AwaitAfter(0, texts...)
}

// AwaitAfter is Await for lines that came after a Mark.
func (p *Process) AwaitAfter(mark int, texts ...string) string {
	p.tb.Helper()
	line, err := p.log.await(mark, Patience, texts...)
	if err != nil {
		p.tb.Fatalf("%s: no line of the log has %q: %v", p.name, texts, err)
	}
	return line
}

// address waits for the line of the log that tells where something listens.
func (p *Process) address(message string) netip.AddrPort {
	p.tb.Helper()
	line := p.Await(message, "address")
	var fields struct{ Address netip.AddrPort }
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		p.tb.Fatalf("%s: where it listens is not to be read from %q: %v", p.name, line, err)
	}
	return fields.Address
}

// PlainAddr waits until a server listens and gives the address of the plain carrier.
func (p *Process) PlainAddr() netip.AddrPort { return p.address("plain carrier listens") }

// ProxyAddr waits until a client listens and gives the address of the (first) local proxy.
func (p *Process) ProxyAddr() netip.AddrPort { return p.address("proxy listens") }

// AdminAddr waits until the status API is there and gives its address.
func (p *Process) AdminAddr() netip.AddrPort { return p.address("status API") }
