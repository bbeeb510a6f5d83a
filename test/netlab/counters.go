package netlab

import "time"

// Counters are the totals of one direction of an emulated link.
type Counters struct {
	InPackets, InBytes int64 // that entered the link
	Packets, Bytes     int64 // delivered
	Drops              Drops
	Lateness           Lateness
}

// Drops counts lost packets by cause.
type Drops struct {
	Queue     int64 // the queue was full
	Loss      int64 // Shape.Loss and Shape.Burst
	BlackHole int64 // Link.BlackHole
	Down      int64 // the receiving interface was down, or the kernel's queue behind it full
}

// Total is the sum over the causes.
func (d Drops) Total() int64 { return d.Queue + d.Loss + d.BlackHole + d.Down }

// Lateness tells how much later than computed packets were handed over.
type Lateness struct {
	Mean, Max time.Duration
}

// historyStep and historySteps bound the byte history of a direction: 10 ms bins for two minutes.
const (
	historyStep  = 10 * time.Millisecond
	historySteps = 12_000
)

// A tally counts what one direction delivers.
type tally struct {
	counters Counters
	lateSum  time.Duration
	bins     []int64 // bytes per historyStep, a ring
	last     int64   // number of the newest bin
}

// deliver counts a frame of n bytes that was due at due and leaves at now.
func (t *tally) deliver(now, due time.Duration, n int) {
	t.counters.Packets++
	t.counters.Bytes += int64(n)
	late := max(now-due, 0)
	t.lateSum += late
	t.counters.Lateness.Max = max(t.counters.Lateness.Max, late)
	t.turnTo(int64(now / historyStep))
	t.bins[t.last%historySteps] += int64(n)
}

// turnTo makes bin the newest, clearing those in between.
func (t *tally) turnTo(bin int64) {
	if t.bins == nil {
		t.bins = make([]int64, historySteps)
	}
	for n := max(t.last+1, bin-historySteps+1); n <= bin; n++ {
		t.bins[n%historySteps] = 0
	}
	t.last = max(t.last, bin)
}

// between returns the bytes delivered in the bins that from and to touch, to excluded.
func (t *tally) between(from, to time.Duration) (sum int64) {
	if t.bins == nil {
		return 0
	}
	first := max(int64(from/historyStep), t.last-historySteps+1, 0)
	end := int64((to + historyStep - 1) / historyStep)
	for n := first; n < end && n <= t.last; n++ {
		sum += t.bins[n%historySteps]
	}
	return sum
}

// snapshot returns the counters with the mean lateness worked out.
func (t *tally) snapshot() Counters {
	c := t.counters
	if c.Packets > 0 {
		c.Lateness.Mean = t.lateSum / time.Duration(c.Packets)
	}
	return c
}
