package demo

import (
	"time"

	"hawser/proxy/demo/link"
)

// uplinks are the emulated ones.
var uplinks = []link.Config{
	{Name: "dsl", Rate: 40e6, Delay: 10 * time.Millisecond},
	{Name: "lte", Rate: 20e6, Delay: 25 * time.Millisecond},
}

const (
	// enough is the part of a rate that has to be reached.
	enough = 0.9
	// readyTime is how long uplinks may take to be joined.
	readyTime = 10 * time.Second
	// onceTime is how long all of it may take with Once: it ends within 60 s.
	onceTime = 55 * time.Second
)

// plan says how long things are measured.
type plan struct {
	warm   time.Duration // of a transfer, before it is measured
	window time.Duration // of the measurement
	before time.Duration // of a transfer, before its uplink is cut
	after  time.Duration // and what it takes without that uplink
	again  time.Duration // how much time is spent on measuring again what fell short
}

// normal is the plan of everybody but tests: 33 s in all when the rates are reached.
var normal = plan{warm: 1500 * time.Millisecond, window: 3 * time.Second, before: 2 * time.Second, after: 3 * time.Second, again: 9 * time.Second}

// measured is the length of a file that takes warm-up and window at a rate in bit/s.
func (p plan) measured(rate int) int64 {
	return int64(float64(rate) / 8 * (p.warm + p.window).Seconds())
}

// cut is the length of a file that all uplinks carry before the cut, and all but l after it.
func (p plan) cut(l link.Config) int64 {
	all := float64(sum())
	return int64(all/8*p.before.Seconds() + (all-float64(l.Rate))/8*p.after.Seconds())
}

// limit is when a transfer is given up: at a third of its rate, and with time to begin.
func (p plan) limit() time.Duration { return 3*(p.warm+p.window) + 5*time.Second }

// sum is what all uplinks carry together, bit/s.
func sum() (rate int) {
	for _, c := range uplinks {
		rate += c.Rate
	}
	return rate
}
