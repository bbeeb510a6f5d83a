package demo

import "fmt"

// Result is what the demo has measured; its JSON is what the flag --json prints. Fields are only ever added.
type Result struct {
	Uplinks []Uplink `json:"uplinks"`
	Bond    Rates    `json:"bond"`
	Cut     Cut      `json:"cut"`

	broken []string // what went wrong with which transfer, beside its rate
}

// Rates are goodputs at the receiver, bit/s.
type Rates struct {
	Down int64 `json:"down_bps"`
	Up   int64 `json:"up_bps"`
}

// set notes the rate of one direction.
func (r *Rates) set(d direction, rate int64) {
	if d == up {
		r.Up = rate
	} else {
		r.Down = rate
	}
}

// Uplink is one uplink: its rates alone, and what its link carried of the bond's measurements.
type Uplink struct {
	Name string `json:"name"`
	Rates
	Bytes uint64 `json:"bytes"` // both directions
}

// Cut is the transfer during which an uplink fell silent.
type Cut struct {
	Uplink string `json:"uplink"`
	Gap    int64  `json:"gap_ms"`     // largest time without a byte at the receiver, from the cut on, milliseconds
	Lost   int64  `json:"bytes_lost"` // of the file
}

// Faults says what is not as promised; none: all is well.
func (r *Result) Faults() []string {
	var faults []string
	check := func(what string, got int64, rate int) {
		if float64(got) < enough*float64(rate) {
			faults = append(faults, fmt.Sprintf("%s: %s is under %.1f of %s", what, megabits(got), enough, megabits(int64(rate))))
		}
	}
	for i, u := range r.Uplinks {
		check(u.Name+" alone, down", u.Down, uplinks[i].Rate)
		check(u.Name+" alone, up", u.Up, uplinks[i].Rate)
	}
	check("bond, down", r.Bond.Down, sum())
	check("bond, up", r.Bond.Up, sum())
	return append(faults, r.broken...)
}

// megabits writes a rate for people.
func megabits(bps int64) string { return fmt.Sprintf("%.1f Mbit/s", float64(bps)/1e6) }
