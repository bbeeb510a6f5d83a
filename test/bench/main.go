//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// scenario is one kind of measurement, in a lab of its own.
type scenario struct {
	name    string
	metrics []string // ids of the figures that it gives
	asked   bool     // runs only when it is named, or with -all
	run     func(ctx context.Context, b *bench) error
}

// scenarios in the order in which they run.
var scenarios = slices.Concat([]scenario{
	{name: "equal", metrics: []string{"P1", "P6", "P17"}, run: benchAggregation("P1")},
	{name: "unequal", metrics: []string{"P2", "P6", "P17"}, run: benchAggregation("P2")},
	{name: "lossy", metrics: []string{"P3", "P6"}, run: benchAggregation("P3")},
	{name: "bufferbloat", metrics: []string{"P4", "P6"}, run: benchAggregation("P4")},
	{name: "failover", metrics: []string{"P7"}, run: benchOutage(blackHole)},
	{name: "linkdown", metrics: []string{"P8"}, run: benchOutage(interfaceDown)},
	{name: "unshaped", run: benchUnshaped},
	{name: "requests", metrics: []string{"P9"}, run: benchLoaded},
	{name: "connect", metrics: []string{"P10"}, run: benchConnect},
	{name: "fetch", metrics: []string{"P11"}, run: benchFetch},
	{name: "proxied", metrics: []string{"P12"}, run: benchProxied},
	{name: "streams", metrics: []string{"P15"}, run: benchNewStreams},
	{name: "copies", asked: true, run: benchCopies},
	{name: "idle", metrics: []string{"P16"}, run: benchIdle},
	{name: "memory", run: benchMemory},
}, rawScenarios(), pairs())

// bench is what scenarios share.
type bench struct {
	bin        string        // directory of the programs
	runs       int           // repetitions of each measurement
	trials     int           // outages of each kind
	duration   time.Duration // of one transfer, warm-up included
	congestion string        // control, of the programs and of every reference
	user       string        // that the programs run as; empty: root
	upload     []bool        // the directions to measure
	plots      string        // directory of the plots; empty: none are drawn
	run        int           // which complete run this belongs to, from 1
	commit     string        // of the tree; with "+" when it has changes; empty: not known
	rows       []row
	done       []string // scenarios that are complete, by key
}

// options are what concerns the whole run.
type options struct {
	only, direction     string
	all, keep, missing  bool
	bin, json, markdown string
}

func main() {
	b, o := flags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := b.main(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// flags reads the command line.
func flags() (b *bench, o options) {
	b = &bench{}
	flag.StringVar(&o.only, "only", "", "scenarios or metrics to run, separated by commas: "+strings.Join(names(), ", "))
	flag.BoolVar(&o.all, "all", false, "run also the scenarios that otherwise run only when named")
	flag.StringVar(&o.direction, "dir", "both", "direction of the transfers: down, up or both")
	flag.StringVar(&o.json, "json", "", "file to write the figures to as JSON")
	flag.BoolVar(&o.keep, "keep", false, "keep the figures in the file of -json that this run does not measure")
	flag.BoolVar(&o.missing, "missing", false, "with -keep: measure only the scenarios that the file of -json lacks for this -run")
	flag.IntVar(&b.run, "run", 1, "number of this complete run: with -keep the figures of the others stay in the tables, side by side")
	flag.StringVar(&o.markdown, "md", "", "document whose tables to replace, between its markers for this congestion control")
	flag.StringVar(&b.plots, "plots", "", "directory to draw plots into")
	flag.StringVar(&o.bin, "bin", "", "directory of built programs (default: build them)")
	flag.IntVar(&b.runs, "runs", 3, "repetitions of each measurement, of which the median counts")
	flag.IntVar(&b.trials, "trials", 20, "outages of each kind, over all uplinks and directions")
	flag.DurationVar(&b.duration, "duration", 8*time.Second, "of one transfer, the 2 s of its start included")
	flag.StringVar(&b.congestion, "cc", "bbr", "congestion control of the programs and of every reference: bbr or cubic")
	flag.StringVar(&b.user, "user", "", "user to run the programs as, without any capability (default: root)")
	flag.Parse()
	return b, o
}

// names of all scenarios and metrics.
func names() (list []string) {
	for _, s := range scenarios {
		list = append(list, strings.Join(append([]string{s.name}, s.metrics...), "/"))
	}
	return list
}

// choose gives the scenarios that the options ask for.
func (o *options) choose() (chosen []scenario, err error) {
	wanted := map[string]bool{}
	for _, name := range strings.Split(o.only, ",") {
		if name != "" {
			wanted[name] = false
		}
	}
	for _, s := range scenarios {
		run := len(wanted) == 0 && (!s.asked || o.all)
		for _, name := range append([]string{s.name}, s.metrics...) {
			if _, ok := wanted[name]; ok {
				wanted[name], run = true, true
			}
		}
		if run {
			chosen = append(chosen, s)
		}
	}
	for name, known := range wanted {
		if !known {
			return nil, fmt.Errorf("there is no scenario or metric %q: choose from %s", name, strings.Join(names(), ", "))
		}
	}
	return chosen, nil
}

// setup checks the options and completes the bench.
func (b *bench) setup(o options) error {
	switch o.direction {
	case "both":
		b.upload = []bool{false, true}
	case "down", "up":
		b.upload = []bool{o.direction == "up"}
	default:
		return fmt.Errorf("-dir %s: give down, up or both", o.direction)
	}
	switch {
	case os.Geteuid() != 0:
		return fmt.Errorf("namespaces need root: run it with sudo")
	case b.runs < 1:
		return fmt.Errorf("-runs %d: give at least 1", b.runs)
	case b.run < 1:
		return fmt.Errorf("-run %d: give at least 1", b.run)
	case (o.keep || o.missing) && o.json == "" || o.missing && !o.keep:
		return fmt.Errorf("-keep needs -json and its file, -missing needs -keep")
	case b.trials < 1:
		return fmt.Errorf("-trials %d: give at least 1", b.trials)
	case b.duration <= warmUp:
		return fmt.Errorf("-duration %v: give more than %v", b.duration, warmUp)
	case !slices.Contains([]string{"bbr", "cubic"}, b.congestion):
		return fmt.Errorf("-cc %s: give bbr or cubic", b.congestion)
	}
	return nil
}

func (b *bench) main(ctx context.Context, o options) error {
	chosen, err := o.choose()
	if err != nil {
		return err
	}
	if err := b.setup(o); err != nil {
		return err
	}
	restore, err := allowCongestion(b.congestion)
	if err != nil {
		return err
	}
	defer restore()
	var cleanup func()
	if b.bin, cleanup, err = programs(ctx, o.bin); err != nil {
		return err
	}
	defer cleanup()
	b.commit = commit()
	earlier, err := o.earlier(b)
	if err != nil {
		return err
	}
	begin := time.Now()
	failed := b.measure(ctx, o, chosen, earlier)
	r := b.report(earlier)
	r.print(os.Stdout)
	fmt.Fprintf(os.Stderr, "took %v\n", time.Since(begin).Round(time.Second))
	if n := r.missed(); failed == nil && n > 0 {
		return fmt.Errorf("%d of %d figures miss what they must be", n, len(r.Rows))
	}
	return failed
}

// measure runs scenarios, but for those that are not missing. What has been measured is written after each, so that an
// interrupted run can be continued.
func (b *bench) measure(ctx context.Context, o options, chosen []scenario, earlier report) error {
	for _, s := range chosen {
		if o.missing && earlier.has(b.key(s)) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s …\n", s.name)
		failed := s.run(ctx, b)
		if failed == nil {
			b.done = append(b.done, b.key(s))
		} else {
			failed = fmt.Errorf("%s: %w", s.name, failed)
		}
		if err := errors.Join(failed, b.report(earlier).save(o)); err != nil {
			return err
		}
	}
	return nil
}

// key names a scenario of this run, of its directions.
func (b *bench) key(s scenario) string {
	key := fmt.Sprintf("%d %s", b.run, s.name)
	if len(b.upload) == 1 {
		key += " " + direction(b.upload[0])
	}
	return key
}

// add takes a figure into the table and shows it.
func (b *bench) add(rows ...*row) {
	for _, r := range rows {
		r.Run, r.Commit = b.run, b.commit
		b.rows = append(b.rows, *r)
		fmt.Fprintf(os.Stderr, "  %s %s %s: %s = %s, must %s: %s; %s\n", r.ID, r.Scenario, r.Direction, r.Figure,
			withUnit(number(r.Value()), r.Unit), r.bound(r.Must), r.verdict(), r.reference())
	}
}
