package scheduler

import "time"

// roundRobin takes the paths in turn, in the order of their IDs, and skips those that take nothing now. It is there to
// compare with, and for paths that are known to be alike.
type roundRobin struct {
	last int
	used bool // last counts
}

// Pick appends one path or none.
func (r *roundRobin) Pick(_ time.Time, paths []Path, c Chunk, dst []int) []int {
	t := tierOf(paths)
	next := -1
	for i := range paths {
		p := &paths[i]
		if t.has(p, c) && open(p) && (next < 0 || r.sooner(p.ID, paths[next].ID)) {
			next = i
		}
	}
	if next < 0 {
		return dst
	}
	r.last, r.used = paths[next].ID, true
	return append(dst, r.last)
}

// sooner says that the turn comes to a before b.
func (r *roundRobin) sooner(a, b int) bool {
	if r.used && (a > r.last) != (b > r.last) {
		return a > r.last // b's turn comes in the next round
	}
	return a < b
}
