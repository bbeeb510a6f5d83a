package scheduler

import "time"

// redundant sends every chunk on every path that takes it now: the delay and the reliability of the best path at any
// moment, and the rate of one.
type redundant struct{}

// Pick appends any number of paths.
func (redundant) Pick(_ time.Time, paths []Path, c Chunk, dst []int) []int {
	t := tierOf(paths)
	for i := range paths {
		if p := &paths[i]; t.has(p, c) && open(p) {
			dst = append(dst, p.ID)
		}
	}
	return dst
}
