package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// Options say how the demo runs. Out and Err are required.
type Options struct {
	Once      bool   // end after the table
	JSON      bool   // Out gets the result as one JSON object and nothing else
	Proxy     string // address:port of the proxy where that is free; empty: 127.0.0.1:1080
	Dashboard string // of the dashboard; empty: 127.0.0.1:9090
	Version   string
	Out, Err  io.Writer // Err gets progress, and with JSON the addresses

	plan plan // zero: normal
}

func (o Options) withDefaults() Options {
	if o.Proxy == "" {
		o.Proxy = loopback + ":1080"
	}
	if o.Dashboard == "" {
		o.Dashboard = loopback + ":9090"
	}
	if o.plan == (plan{}) {
		o.plan = normal
	}
	return o
}

// Run runs the demo until ctx ends, or with Once until everything is measured. The error says what is not as promised,
// a line for each; without Once it is shown and the demo stays up.
func Run(ctx context.Context, o Options) (err error) {
	o = o.withDefaults()
	if o.Once {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, onceTime, fmt.Errorf("not done within %v", onceTime))
		defer cancel()
	}
	b, err := newBed(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	words := o.Out
	if o.JSON {
		words = o.Err
	}
	s := style{color: isTerminal(words) && os.Getenv("NO_COLOR") == "" && runtime.GOOS != "windows"}
	fmt.Fprint(words, s.intro(b))

	faults := o.measure(ctx, b, s)
	switch {
	case o.Once:
		return faults
	case ctx.Err() != nil:
		return nil // interrupted by whoever watches
	case faults != nil:
		fmt.Fprintf(words, "  %s\n", s.mark(red, strings.ReplaceAll(faults.Error(), "\n", "\n  ")))
	}
	return o.stay(ctx, b, words, s)
}

// measure measures and prints, and tells what is not as promised.
func (o Options) measure(ctx context.Context, b *bed, s style) error {
	m := &measurement{bed: b, version: o.Version, plan: o.plan, progress: &progress{out: o.Err, live: isTerminal(o.Err), rates: b.rates}}
	if err := m.run(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("demo: %w", err)
	}
	if o.JSON {
		if err := json.NewEncoder(o.Out).Encode(m.result); err != nil {
			return err
		}
	} else if _, err := io.WriteString(o.Out, s.table(&m.result)); err != nil {
		return err
	}
	if faults := m.result.Faults(); len(faults) > 0 {
		return errors.New(strings.Join(faults, "\n"))
	}
	return nil
}

// stay shows that the cut uplink is back, and waits for the end.
func (o Options) stay(ctx context.Context, b *bed, words io.Writer, s style) error {
	name := b.links[0].Name
	if err := b.ready(ctx, name); err == nil {
		fmt.Fprintf(words, "  %s is restored and in use again\n", name)
	} else if ctx.Err() == nil {
		fmt.Fprintf(words, "  %s\n", s.mark(red, err.Error()))
	}
	fmt.Fprint(words, s.outro(b))
	<-ctx.Done()
	return nil
}

// rates is what each link has carried, for progress.
func (b *bed) rates() []linkRate {
	list := make([]linkRate, 0, len(b.links))
	for _, l := range b.links {
		up, down := l.Bytes()
		list = append(list, linkRate{l.Name, up + down})
	}
	return list
}
