//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// report is everything that a run has found out, and where.
type report struct {
	Commit     string  `json:"commit"`     // of the tree, of the last figures; with "+" when it has changes; empty: not known
	Kernel     string  `json:"kernel"`     // release
	Processors int     `json:"processors"` // of the machine
	Congestion string  `json:"congestion"` // control, of the programs and of every reference
	User       string  `json:"user"`       // that the programs run as; empty: root
	Runs       int     `json:"runs"`       // repetitions of each figure
	Seconds    float64 `json:"seconds"`    // how long the whole took
	Rows       []row   `json:"rows"`

	Done []string `json:"done"` // scenarios that are complete: number of the complete run, name, direction if it was only one
}

// report describes the machine, the tree and what has been measured, beside what an earlier report holds of other figures.
func (b *bench) report(earlier report) report {
	r := report{
		Commit: b.commit, Processors: runtime.NumCPU(), Congestion: b.congestion, User: b.user, Runs: b.runs,
		Rows: slices.Clone(b.rows), Done: slices.Clone(b.done),
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		r.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	r.keep(earlier)
	for i := range r.Rows {
		r.Seconds += r.Rows[i].Seconds
	}
	return r
}

// commit names the tree that is measured; empty when it is not known.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return ""
	}
	id := strings.TrimSpace(string(out))
	// The documents change as the figures arrive.
	out, err = exec.Command("git", "status", "--porcelain", "--", ":(top)", ":(top,exclude)docs").Output()
	if err == nil && len(out) > 0 {
		id += "+"
	}
	return id
}

// missed counts the rows that are not what they must be.
func (r *report) missed() (n int) {
	for i := range r.Rows {
		if !r.Rows[i].Met() {
			n++
		}
	}
	return n
}

// earlier reads the report whose figures are to be kept; an empty one when there is none, or none are to be kept.
func (o options) earlier(b *bench) (earlier report, err error) {
	if !o.keep {
		return earlier, nil
	}
	text, err := os.ReadFile(o.json)
	if errors.Is(err, os.ErrNotExist) {
		return earlier, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &earlier)
	}
	if err != nil {
		return earlier, fmt.Errorf("earlier figures: %w", err)
	}
	if earlier.Congestion != b.congestion || earlier.User != b.user {
		return earlier, fmt.Errorf("%s holds figures with congestion control %s and user %q: choose another file for these", o.json, earlier.Congestion, earlier.User)
	}
	return earlier, nil
}

// keep adds what an earlier report has and this one has not, in the earlier order and before its own.
func (r *report) keep(earlier report) {
	measured := r.Rows
	r.Rows = slices.DeleteFunc(slices.Clone(earlier.Rows), func(old row) bool {
		return slices.ContainsFunc(measured, func(m row) bool { return m.Run == old.Run && old.same(m) })
	})
	r.Rows = append(r.Rows, measured...)
	for _, key := range earlier.Done {
		if !slices.Contains(r.Done, key) {
			r.Done = append(r.Done, key)
		}
	}
}

// has tells whether a scenario is complete.
func (r *report) has(key string) bool { return slices.Contains(r.Done, key) }

// save writes the report to the files that the options name.
func (r report) save(o options) error {
	if o.json != "" {
		if err := r.write(o.json); err != nil {
			return err
		}
	}
	if o.markdown != "" {
		return r.fill(o.markdown)
	}
	return nil
}

// write stores the report as JSON.
func (r *report) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
