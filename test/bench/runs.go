//go:build linux

package main

import (
	"slices"
	"strings"
)

// figureRuns is one figure in each complete run, in their order.
type figureRuns []row

// byFigure groups the rows by figure, in the order in which the figures first appear, and within a figure by run.
func byFigure(rows []row) (list []figureRuns) {
next:
	for _, r := range rows {
		for i := range list {
			if list[i][0].same(r) {
				list[i] = append(list[i], r)
				continue next
			}
		}
		list = append(list, figureRuns{r})
	}
	for i := range list {
		slices.SortStableFunc(list[i], func(a, b row) int { return a.Run - b.Run })
	}
	return list
}

// joined is the figure over all runs: for its bounds, the spread and the reference.
func (f figureRuns) joined() row {
	all := f[0]
	all.Values, all.ReferenceValues, all.Seconds = nil, nil, 0
	for _, r := range f {
		all.Values = append(all.Values, r.Values...)
		all.ReferenceValues = append(all.ReferenceValues, r.ReferenceValues...)
		all.Seconds += r.Seconds
	}
	return all
}

// values prints the figure of each run.
func (f figureRuns) values() string {
	var list []string
	for i := range f {
		list = append(list, withUnit(number(f[i].Value()), f[i].Unit))
	}
	return strings.Join(list, " · ")
}

// verdict says what the bounds make of the figure: the worst of the runs', which has to be met in each.
func (f figureRuns) verdict() string {
	worst := &f[0]
	for i := range f {
		r := &f[i]
		if worst.Met() && !r.Met() || worst.Reached() && !r.Reached() {
			worst = r
		}
	}
	return worst.verdict()
}
