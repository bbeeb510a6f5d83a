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
	Commit     string  `json:"commit"`     // of the tree; with "+" when it has changes; empty: not known
	Kernel     string  `json:"kernel"`     // release
	Processors int     `json:"processors"` // of the machine
	Congestion string  `json:"congestion"` // control, of the programs and of every reference
	User       string  `json:"user"`       // that the programs run as; empty: root
	Runs       int     `json:"runs"`       // repetitions of each figure
	Seconds    float64 `json:"seconds"`    // how long the whole took
	Rows       []row   `json:"rows"`
}

// newReport describes the machine and the tree.
func newReport(b *bench) report {
	r := report{Processors: runtime.NumCPU(), Congestion: b.congestion, User: b.user, Runs: b.runs}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		r.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	if out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output(); err == nil {
		r.Commit = strings.TrimSpace(string(out))
		if out, err = exec.Command("git", "status", "--porcelain").Output(); err == nil && len(out) > 0 {
			r.Commit += "+"
		}
	}
	return r
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

// keep adds the rows of an earlier report that this one does not have, in the earlier order and before its own.
func (r *report) keep(file string) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var earlier report
	if err == nil {
		err = json.Unmarshal(text, &earlier)
	}
	if err != nil {
		return fmt.Errorf("earlier figures: %w", err)
	}
	if earlier.Congestion != r.Congestion || earlier.User != r.User {
		return fmt.Errorf("%s holds figures with congestion control %s and user %q: choose another file for these", file, earlier.Congestion, earlier.User)
	}
	measured := r.Rows
	r.Rows = slices.DeleteFunc(earlier.Rows, func(old row) bool { return slices.ContainsFunc(measured, old.same) })
	r.Rows = append(r.Rows, measured...)
	r.Seconds = 0
	for i := range r.Rows {
		r.Seconds += r.Rows[i].Seconds
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
