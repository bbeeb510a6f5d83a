package scheduler

import "time"

// blest takes the quickest path. While that has no room it takes the next one only if, in the round trip that the
// chunk then needs, the quickest path could not fill the rest of the peer's window and be blocked by it (Ferlin et al.,
// "BLEST: Blocking estimation-based MPTCP scheduler", 2016).
type blest struct{}

// Pick appends one path or none.
func (blest) Pick(_ time.Time, paths []Path, c Chunk, dst []int) []int {
	t := tierOf(paths)
	s := quickest(paths, t, c, true)
	if s < 0 {
		return dst
	}
	f := quickest(paths, t, c, false)
	if f != s && !c.Reinject && blocks(&paths[s], &paths[f], c) { // what is sent again needs no window
		return dst
	}
	return append(dst, paths[s].ID)
}

// blocks says that a chunk on s would hold up f: the window has no room for all that f sends until s has delivered.
func blocks(s, f *Path, c Chunk) bool {
	return float64(f.Rate)*s.SRTT.Seconds() > float64(c.Window-c.Size)
}
