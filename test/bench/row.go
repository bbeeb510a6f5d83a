//go:build linux

package main

import (
	"math"
	"slices"
)

// row is one figure of the table.
type row struct {
	ID        string    `json:"id"`        // of the metric, such as P1; empty: a figure without a target
	Scenario  string    `json:"scenario"`  // the links, and what happens to them
	Direction string    `json:"direction"` // "down", "up" or empty
	Run       int       `json:"run"`       // complete run that it belongs to, from 1
	Commit    string    `json:"commit"`    // of the tree that was measured, as in report
	Figure    string    `json:"figure"`    // what is measured, as the ratio that it is
	Unit      string    `json:"unit"`      // of the values; empty: a ratio
	Values    []float64 `json:"values"`    // one for each repetition
	Quantile  float64   `json:"quantile"`  // of the values (0–1) that counts; 0: the median

	// What the values are measured against: one for each repetition, or a summary.
	Reference       string    `json:"reference"`
	ReferenceUnit   string    `json:"reference_unit"`
	ReferenceValues []float64 `json:"reference_values"`

	Beside []beside `json:"beside"` // what else the same repetitions have measured

	// The bounds of the figure; 0: none. AtMost: they are upper ones.
	Must   float64 `json:"must"`
	Aim    float64 `json:"aim"`
	AtMost bool    `json:"at_most"`

	Saturated bool    `json:"saturated"` // the processors were busy although the links are shaped: counts as missed
	Void      string  `json:"void"`      // why the reference is not to be trusted: counts as missed; empty: it is
	Seconds   float64 `json:"seconds"`   // how long it took to measure
}

// beside is a figure that explains a row's.
type beside struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Values []float64 `json:"values"` // one for each repetition
}

// note adds a repetition's value of a figure that explains the row's.
func (r *row) note(name, unit string, value float64) {
	for i := range r.Beside {
		if r.Beside[i].Name == name {
			r.Beside[i].Values = append(r.Beside[i].Values, value)
			return
		}
	}
	r.Beside = append(r.Beside, beside{name, unit, []float64{value}})
}

// noted is the median of a figure that explains the row's; 0 when there is none.
func (r *row) noted(name string) float64 {
	for _, b := range r.Beside {
		if b.Name == name {
			return quantile(b.Values, 0.5)
		}
	}
	return 0
}

// quantile is the one that counts.
func (r *row) quantile() float64 {
	if r.Quantile == 0 {
		return 0.5
	}
	return r.Quantile
}

// Value is the figure: the median of the values, or another quantile.
func (r *row) Value() float64 { return quantile(r.Values, r.quantile()) }

// keeps tells whether the figure is on the right side of a bound.
func (r *row) keeps(bound float64) bool {
	if r.AtMost {
		return r.Value() <= bound
	}
	return r.Value() >= bound
}

// Met tells whether the figure keeps what it must, in runs that mean something. Without a bound it does.
func (r *row) Met() bool {
	return r.Must == 0 || len(r.Values) > 0 && !r.Saturated && r.Void == "" && r.keeps(r.Must)
}

// Reached tells whether the figure is what is aimed at.
func (r *row) Reached() bool { return r.Met() && r.Aim != 0 && r.keeps(r.Aim) }

// same tells whether two rows are the same figure, of the same complete run or of two.
func (r *row) same(other row) bool {
	return r.ID == other.ID && r.Scenario == other.Scenario && r.Direction == other.Direction && r.Figure == other.Figure
}

// quantile of values by the nearest rank; 0 of none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Clone(values)
	slices.Sort(v)
	return v[max(int(math.Ceil(q*float64(len(v))))-1, 0)]
}
