//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// figure is a row of P1 in one of the complete runs.
func figure(run int, value float64) row {
	return row{
		ID: "P1", Scenario: "links", Direction: "down", Figure: "one stream", Run: run, Commit: "c", Values: []float64{value},
		Must: 0.95, Aim: 0.98, Reference: "kernel TCP", ReferenceUnit: "Mbit/s", ReferenceValues: []float64{50},
	}
}

func TestFigureOfThreeRunsIsMetOnlyWhenEachIs(t *testing.T) {
	for _, c := range []struct {
		values  []float64
		verdict string
	}{
		{[]float64{0.99, 0.98, 0.985}, "aim reached"},
		{[]float64{0.99, 0.96, 0.985}, "met"},
		{[]float64{0.99, 0.99, 0.94}, "**missed**"},
		{[]float64{0.94, 0.99, 0.99}, "**missed**"},
	} {
		var rows []row
		for i, v := range c.values {
			rows = append(rows, figure(i+1, v))
		}
		runs := byFigure(rows)
		if len(runs) != 1 || runs[0].verdict() != c.verdict {
			t.Errorf("%v: %d figures, verdict %q, want one and %q", c.values, len(runs), runs[0].verdict(), c.verdict)
		}
	}
	void := figure(2, 0.99)
	void.Void = "no reference"
	if v := byFigure([]row{figure(1, 0.99), void})[0].verdict(); !strings.Contains(v, "void") {
		t.Errorf("a void run gives %q", v)
	}
}

func TestTableShowsEachRunOfAFigure(t *testing.T) {
	var b bytes.Buffer
	printTable(&b, []row{figure(2, 0.97), figure(1, 0.96), figure(3, 0.98)})
	if !strings.Contains(b.String(), "| 0.960 · 0.970 · 0.980 | 0.960 – 0.980 |") || strings.Count(b.String(), "\n") != 3 {
		t.Errorf("the table is\n%s", b.String())
	}
}

func TestKeptFiguresAreReplacedOnlyByTheirOwnRun(t *testing.T) {
	earlier := report{Rows: []row{figure(1, 0.1), figure(2, 0.2)}, Done: []string{"1 equal", "2 equal"}}
	r := report{Rows: []row{figure(2, 0.9)}, Done: []string{"2 equal"}}
	r.keep(earlier)
	if len(r.Rows) != 2 || r.Rows[0].Value() != 0.1 || r.Rows[1].Value() != 0.9 {
		t.Errorf("rows %+v", r.Rows)
	}
	if !r.has("1 equal") || !r.has("2 equal") || len(r.Done) != 2 {
		t.Errorf("complete: %q", r.Done)
	}
}

func TestEarlierFiguresOfAnotherControlAreNotMixedIn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "figures.json")
	text, err := json.Marshal(report{Congestion: "cubic"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	o := options{keep: true, json: file}
	if _, err := o.earlier(&bench{congestion: "bbr"}); err == nil {
		t.Error("figures of cubic were taken into a report of bbr")
	}
	if _, err := o.earlier(&bench{congestion: "cubic"}); err != nil {
		t.Error(err)
	}
}

func TestDocumentKeepsWhatStandsAroundATable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "benchmarks.md")
	text := "before\n<!-- begin bbr -->\nold\n<!-- end bbr -->\nafter\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := report{Congestion: "bbr", Rows: []row{figure(1, 0.96)}}
	if err := r.fill(file); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before\n<!-- begin bbr -->\nCommit c,", "| 0.960 |", "<!-- end bbr -->\nafter\n"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(string(got), "old") {
		t.Errorf("the old table stays:\n%s", got)
	}
	r.Congestion = "cubic"
	if err := r.fill(file); err == nil {
		t.Error("a table without a place in the document was dropped in silence")
	}
}
