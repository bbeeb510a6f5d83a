package scheduler

import "time"

// minRTT takes the path with the smallest round trip that takes bytes now, as the first Linux MPTCP did. It fills every
// path under load, however slow, and so holds up the fast ones when the peer's window is small.
type minRTT struct{}

// Pick appends one path or none.
func (minRTT) Pick(_ time.Time, paths []Path, c Chunk, dst []int) []int {
	if i := quickest(paths, tierOf(paths), c, true); i >= 0 {
		dst = append(dst, paths[i].ID)
	}
	return dst
}
