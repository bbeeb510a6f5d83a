//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
)

// row is one figure of the table.
type row struct {
	Scenario  string    `json:"scenario"`
	Figure    string    `json:"figure"`
	Unit      string    `json:"unit"`
	Values    []float64 `json:"values"` // one for each run
	Reference string    `json:"reference"`
	Bound     float64   `json:"bound"`
	AtMost    bool      `json:"at_most"` // the bound is an upper one
	Saturated bool      `json:"saturated"`
}

// Median of the runs.
func (r row) Median() float64 { return quantile(r.Values, 0.5) }

// Met tells whether the median keeps the bound, in runs whose processors had time.
func (r row) Met() bool {
	if r.Saturated {
		return false
	}
	if r.AtMost {
		return r.Median() <= r.Bound
	}
	return r.Median() >= r.Bound
}

// quantile of values by the nearest rank; 0 of none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Clone(values)
	slices.Sort(v)
	return v[min(len(v)-1, int(q*float64(len(v))))]
}

// printTable writes the rows as Markdown.
func printTable(w io.Writer, rows []row) {
	fmt.Fprintln(w, "| scenario | figure | median | lowest | highest | bound | | reference |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	for _, r := range rows {
		sign, verdict := "≥", "met"
		if r.AtMost {
			sign = "≤"
		}
		switch {
		case r.Saturated:
			verdict = "void: the processors were saturated"
		case !r.Met():
			verdict = "**missed**"
		}
		fmt.Fprintf(w, "| %s | %s | %s %s | %s | %s | %s %s | %s | %s |\n", r.Scenario, r.Figure,
			number(r.Median()), r.Unit, number(slices.Min(r.Values)), number(slices.Max(r.Values)),
			sign, number(r.Bound), verdict, r.Reference)
	}
}

// number prints a figure with three digits that count.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.3f", v)
}
