//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// printTable writes the rows as Markdown.
func printTable(w io.Writer, rows []row) {
	fmt.Fprintln(w, "| | links | figure | value | lowest – highest | must | aim | | reference | took |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|")
	for _, runs := range byFigure(rows) {
		r := runs.joined()
		scenario := r.Scenario
		if r.Direction != "" {
			scenario += ", " + r.Direction
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %.0f s |\n", r.ID, scenario, r.Figure,
			runs.values(), r.spread(), r.bound(r.Must), r.bound(r.Aim), runs.verdict(), r.reference(), r.Seconds)
	}
}

// printPairs writes the rows of the pairs of links as Markdown, goodputs in Mbit/s.
func printPairs(w io.Writer, rows []row) {
	fmt.Fprintln(w, "| links | first alone | second alone | one stream over both | kernel MPTCP over both | ÷ better link | lowest – highest | must | aim | |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|")
	for i := range rows {
		r := &rows[i]
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Scenario,
			number(r.noted(linkAlone(0))), number(r.noted(linkAlone(1))), number(r.noted(pairBond)), number(r.noted(pairKernel)),
			number(r.Value()), r.spread(), r.bound(r.Must), r.bound(r.Aim), r.verdict())
	}
}

// printCosts writes the rows of the costs of raw TCP as Markdown, processor time in s/GB.
func printCosts(w io.Writer, rows []row) {
	fmt.Fprintln(w, "| what | of | s/GB | lowest – highest | goodput, Gbit/s | whole machine, s/GB | whole machine with kernel TCP, s/GB |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|")
	for i := range rows {
		r := &rows[i]
		what := strings.TrimSuffix(r.Scenario+", "+r.Direction, ", ")
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s |\n", what, r.Figure, number(r.Value()), r.spread(),
			r.notedNumber(costGoodput), r.notedNumber(costRaw), r.notedNumber(costKernel))
	}
}

// notedNumber prints a figure that explains the row's; empty when there is none.
func (r *row) notedNumber(name string) string {
	if v := r.noted(name); v != 0 {
		return number(v)
	}
	return ""
}

// spread is the least and the greatest value.
func (r *row) spread() string {
	if len(r.Values) < 2 {
		return ""
	}
	return number(slices.Min(r.Values)) + " – " + number(slices.Max(r.Values))
}

func (r *row) bound(v float64) string {
	switch {
	case v == 0:
		return ""
	case r.AtMost:
		return "≤ " + number(v)
	}
	return "≥ " + number(v)
}

// verdict says what the bounds make of the figure.
func (r *row) verdict() string {
	switch {
	case r.Void != "":
		return "**void**: " + r.Void
	case r.Saturated:
		return "**void**: the processors were saturated"
	case !r.Met():
		return "**missed**"
	case r.Reached():
		return "aim reached"
	case r.Must != 0:
		return "met"
	}
	return ""
}

func (r *row) reference() string {
	if len(r.ReferenceValues) == 0 {
		return r.Reference
	}
	return strings.TrimPrefix(r.Reference+": ", ": ") + withUnit(number(quantile(r.ReferenceValues, r.quantile())), r.ReferenceUnit)
}

func withUnit(value, unit string) string {
	if unit == "" {
		return value
	}
	return value + " " + unit
}

// number prints a figure with three digits that count.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}
