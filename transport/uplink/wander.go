package uplink

import "time"

const (
	// wanderTime is over how much time a deviation is averaged. Radio links change their delay within tens of
	// milliseconds, and a change of the route is forgotten after a few of these times.
	wanderTime = time.Second
	// wanderStep is the most that one measurement counts for: before a pause nobody knows what the round trip was.
	wanderStep = wanderTime / 20
)

// wander measures how far the round trip of a path strays from its mean, by the clock. The deviation that TCP keeps for
// its timer (RFC 6298) tells something else: it follows each acknowledgement, and the next one always comes in much the
// same time as the last.
//
// It is given round trips without the queue that what is in flight explains. As long as a path is shorter than what is
// in flight ÷ rate nothing remains, and the deviation falls; it rises when the path becomes longer and so runs empty. A
// queue must not count: it would make room for more of itself. The zero value has measured nothing.
type wander struct {
	mean, deviation time.Duration
	at              time.Time // of the last measurement
}

// add takes in what the round trip is at a time; it is positive.
func (w *wander) add(now time.Time, rtt time.Duration) {
	if w.at.IsZero() {
		w.mean, w.at = rtt, now
	}
	weight := float64(min(now.Sub(w.at), wanderStep)) / float64(wanderTime)
	w.at = now
	w.mean += time.Duration(weight * float64(rtt-w.mean))
	w.deviation += time.Duration(weight * float64((rtt-w.mean).Abs()-w.deviation))
}

// room is by how much the path is longer than its minimum now and then: four deviations, less what the gain of the cap
// has room for anyway, and two minima at most.
func (w *wander) room(minRTT time.Duration) time.Duration {
	return min(max(4*w.deviation-minRTT/4, 0), 2*minRTT)
}
