package scheduler

import (
	"slices"
	"time"
)

const (
	smallData  = 16 << 10               // bytes: a backlog that is one request or answer, and not a transfer
	reserve    = 16 << 10               // bytes beyond an uplink's credit that small data may use
	hysteresis = 1.25                   // how much sooner a slow path must be once the fast ones are waited for
	pause      = 100 * time.Millisecond // a gap in the load that does not end a transfer

	// A path is a burden when it adds less than burdenShare to the rate of the faster ones and is burdenLag behind them:
	// each segment that it loses holds up the stream by that much again.
	burdenShare = 0.1
	burdenLag   = 0.1 // s
	retryEvery  = 20  // s: it may have become better, and
	retryFor    = 1   // s in each tells
)

// auto is the default. Under load every path pulls what it can carry; else, and at the end of a transfer, data waits
// for the fast paths rather than arrive late by a slow one; and data never goes where it would block the peer's window.
// For each path it estimates when a chunk would be delivered (estimate) and asks the paths in that order. The
// soonest takes what there is; a later one must pass the rules below.
type auto struct {
	off rules

	order   []estimate // working memory of Pick, the soonest first
	waiting bool       // fast paths were waited for when a slow one was open
	since   time.Time  // when the transfer under way began to keep the buffer full
	loaded  time.Time  // when it last did
}

// rules switches rules off: tests show that each is needed.
type rules struct {
	pull     bool // the length of a transfer is not expected to go on
	patience bool // a transfer is expected to go on for ever as soon as the buffer is full
	window   bool
	tail     bool
	small    bool // small data waits for credit
	backup   bool // backup paths are like others
	worth    bool // a path is used for however little it adds
	queue    bool // what is under way on a path is not counted, only its distance
}

// Pick appends one path or none.
func (a *auto) Pick(now time.Time, paths []Path, c Chunk, dst []int) []int {
	a.estimate(paths, c)
	outlook := a.outlook(now, c)
	for i := range a.order {
		s := &a.order[i]
		if !s.open {
			continue
		}
		if i == 0 {
			return append(dst, s.id)
		}
		faster := a.order[:i]
		if !s.known && s.level >= trial || !a.fits(s, faster, c) || !a.worth(now, s, faster, c) {
			continue
		}
		if a.waiting = !a.pays(s, faster, c, outlook); !a.waiting {
			return append(dst, s.id)
		}
	}
	return dst
}

// estimate fills order with the paths that may carry c.
func (a *auto) estimate(paths []Path, c Chunk) {
	t := tierOf(paths)
	if a.off.backup && t == regular {
		t = backup
	}
	small := !a.off.small && !c.Loaded && !c.Reinject && c.Backlog <= smallData
	var slowest time.Duration
	for i := range paths {
		slowest = max(slowest, paths[i].SRTT)
	}
	a.order = a.order[:0]
	for i := range paths {
		p := &paths[i]
		if !t.has(p, c) {
			continue
		}
		e := estimateOf(p, c.Size, slowest)
		if a.off.queue {
			e.at = p.MinRTT.Seconds() / 2
		}
		// Bulk of other sessions keeps the uplink's credit at 0, and takes what comes free before small data sees it.
		e.open = open(p) || small && p.Room > 0 && p.Credit > -reserve
		at, _ := slices.BinarySearchFunc(a.order, e, func(x, e estimate) int {
			if x.at <= e.at {
				return -1
			}
			return 1
		})
		a.order = slices.Insert(a.order, at, e)
	}
}

// outlook is for how many seconds the transfer under way is expected to keep the fast paths busy beyond its backlog.
// Nobody knows; but one that has lasted for some time is most likely to last as long again, and whoever bets on that
// loses no more than the time it took. So a short transfer never touches a slow path, and a long one uses it after a
// moment.
func (a *auto) outlook(now time.Time, c Chunk) float64 {
	if c.Reinject || !c.Loaded {
		return 0
	}
	if a.since.IsZero() || now.Sub(a.loaded) > pause {
		a.since = now
	}
	a.loaded = now
	switch {
	case a.off.pull:
		return 0
	case a.off.patience:
		return 1e9
	}
	return now.Sub(a.since).Seconds()
}

// fits is the blocking guard: until s has delivered the chunk and that is known here, the faster paths must not run
// out of the peer's window. What is sent again is in the window already.
func (a *auto) fits(s *estimate, faster []estimate, c Chunk) bool {
	if a.off.window || c.Reinject {
		return true
	}
	need := float64(0)
	for i := range faster {
		need += faster[i].rate * (s.at - faster[i].at)
	}
	if !c.Loaded {
		need = min(need, float64(c.Backlog-c.Size)) // there is no more to be blocked
	}
	return float64(c.Window-c.Size) >= need
}

// worth says that s is not a burden. One that is carries bulk only for a moment now and then, so that its rate is not
// believed for ever.
func (a *auto) worth(now time.Time, s *estimate, faster []estimate, c Chunk) bool {
	if a.off.worth || c.Reinject || !s.full || now.Unix()%retryEvery < retryFor {
		return true
	}
	rate := float64(0)
	for i := range faster {
		if !faster[i].known {
			return true
		}
		rate += faster[i].rate
	}
	return s.rate > burdenShare*rate || s.way-faster[0].way < burdenLag
}

// pays says that s delivers the chunk before the faster paths could have delivered all that waits (the rule of
// Lim et al., "ECF: An MPTCP Path Scheduler to Manage Heterogeneous Paths", 2017, for any number of paths). Once they
// are waited for, s must be clearly better, so that noise does not send each end of a transfer another way.
func (a *auto) pays(s *estimate, faster []estimate, c Chunk, outlook float64) bool {
	if a.off.tail {
		return true
	}
	at := s.at
	if a.waiting {
		at *= hysteresis
	}
	return at < finished(faster, max(c.Backlog, c.Size))+outlook
}

// finished is when faster paths would have delivered n bytes: at the start of the first that is not measured yet, for it
// doubles its rate each round trip, and a guess would send the begin of a transfer by a slow path and the rest into the
// end of the window.
func finished(faster []estimate, n int) float64 {
	for i := range faster {
		if !faster[i].known {
			return faster[i].start
		}
	}
	return drained(faster, n)
}
