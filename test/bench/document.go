//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// section is the part of the report that has a place of its own in the document.
type section struct {
	name  string // in the markers of the document
	rows  []row
	table func(io.Writer, []row) // how they are printed
}

// sections divides the rows: the pairs of links by direction, raw TCP and its costs, and everything else.
func (r *report) sections() (list []section) {
	all := []section{
		{r.Congestion, nil, printTable},
		{"pairs " + r.Congestion + " down", nil, printPairs},
		{"pairs " + r.Congestion + " up", nil, printPairs},
		{"raw " + r.Congestion, nil, printTable},
		{rawCostID, nil, printCosts},
	}
	for _, w := range r.Rows {
		n := 0
		switch w.ID {
		case pairID:
			n = map[string]int{"down": 1, "up": 2}[w.Direction]
		case rawID:
			n = 3
		case rawCostID:
			n = 4
		}
		all[n].rows = append(all[n].rows, w)
	}
	for _, s := range all {
		if len(s.rows) > 0 {
			list = append(list, s)
		}
	}
	return list
}

// print writes all tables.
func (r *report) print(w io.Writer) {
	for _, s := range r.sections() {
		fmt.Fprintf(w, "\n%s\n\n", r.origin(s))
		s.print(w)
	}
}

// origin says where and how the figures of a section came about.
func (r *report) origin(s section) string {
	user, took, commits := "root", 0.0, []string(nil)
	if r.User != "" {
		user = r.User + " without any capability"
	}
	for _, w := range s.rows {
		took += w.Seconds
		if !slices.Contains(commits, w.Commit) {
			commits = append(commits, w.Commit)
		}
	}
	return fmt.Sprintf("Commit %s, Linux %s, %d processors; congestion control %s; programs run as %s; %d repetitions; %.0f min of measurements.",
		strings.Join(commits, ", "), r.Kernel, r.Processors, r.Congestion, user, r.Runs, took/60)
}

func (s section) print(w io.Writer) { s.table(w, s.rows) }

// fill replaces the sections of a document: what stands between <!-- begin NAME --> and <!-- end NAME -->.
func (r *report) fill(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, s := range r.sections() {
		begin, end := "<!-- begin "+s.name+" -->\n", "<!-- end "+s.name+" -->"
		before, rest, opened := strings.Cut(string(text), begin)
		_, after, closed := strings.Cut(rest, end)
		if !opened || !closed {
			return fmt.Errorf("%s: no place for %q: add the lines %q and %q", file, s.name, strings.TrimSpace(begin), end)
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "%s%s%s\n\n", before, begin, r.origin(s))
		s.print(&b)
		fmt.Fprintf(&b, "%s%s", end, after)
		text = b.Bytes()
	}
	return os.WriteFile(file, text, 0o644)
}
