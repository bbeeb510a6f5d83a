package cc

import "time"

// reno is congestion avoidance of RFC 5681, section 3.1, in bytes (RFC 3465, section 2.1): one segment for each window
// acknowledged, half the window at congestion. RFC 6582 adds to it for senders without SACK; its part for a
// controller, one reduction per episode and none of growth in it, is lossBased's.
type reno struct {
	mss               int
	acked, savedAcked int // bytes_acked
}

func (r *reno) grow(_ time.Time, _ time.Duration, window, bytes int) int {
	r.acked += bytes
	if r.acked < window {
		return window
	}
	// A stretch acknowledgement of more than a window still earns one segment, and not a debt.
	r.acked = min(r.acked-window, window)
	return window + r.mss
}

func (r *reno) pause(time.Time) {}
func (r *reno) congested(int)   { r.acked = 0 }
func (r *reno) timedOut()       {}
func (r *reno) beta() float64   { return 0.5 }
func (r *reno) save()           { r.savedAcked = r.acked }
func (r *reno) restore()        { r.acked = r.savedAcked }
