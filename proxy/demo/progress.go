package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
)

// progress tells a person what is being done: on a terminal in one line that lives, else in a line for each step.
type progress struct {
	out   io.Writer
	live  bool
	rates func() []linkRate // what each link has carried so far
}

// linkRate is how much a link has carried.
type linkRate struct {
	name  string
	bytes uint64
}

const (
	frames    = `|/-\`
	frameTime = 125 * time.Millisecond
	lineWidth = 78
)

// step runs f.
func (p *progress) step(what string, f func() error) error {
	if !p.live {
		fmt.Fprintf(p.out, "measuring %s\n", what)
		return f()
	}
	done := make(chan error, 1)
	go func() { done <- f() }()
	tick := time.NewTicker(frameTime)
	defer tick.Stop()
	last, then := p.rates(), time.Now()
	for i := 0; ; i++ {
		select {
		case err := <-done:
			p.line("")
			fmt.Fprint(p.out, "\r")
			return err
		case now := <-tick.C:
			next := p.rates()
			p.line(fmt.Sprintf("  %c %-26s%s", frames[i%len(frames)], what, speeds(last, next, now.Sub(then))))
			last, then = next, now
		}
	}
}

// line writes over the last line, without any control sequence that a terminal might not know.
func (p *progress) line(text string) {
	fmt.Fprintf(p.out, "\r%-*.*s", lineWidth, lineWidth, text)
}

// speeds tells what the links carry just now.
func speeds(last, next []linkRate, span time.Duration) string {
	var b strings.Builder
	for i, n := range next {
		rate := float64(n.bytes-last[i].bytes) * 8 / 1e6 / span.Seconds()
		fmt.Fprintf(&b, "   %s %5.1f", n.name, rate)
	}
	return b.String() + "   Mbit/s"
}

// isTerminal tells whether a person reads w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && (isatty.IsTerminal(file.Fd()) || isatty.IsCygwinTerminal(file.Fd()))
}
