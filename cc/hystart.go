package cc

import "time"

// The constants of RFC 9406, section 4.3.
const (
	minRTTThresh     = 4 * time.Millisecond
	maxRTTThresh     = 16 * time.Millisecond
	minRTTDivisor    = 8
	nRTTSample       = 8
	cssGrowthDivisor = 4
	cssRounds        = 5
	burstLimit       = 8 // L of a sender that is not paced, in segments
)

// hystart is HyStart++ (RFC 9406): it leaves slow start when the delay of a round rises above that of the round
// before, through a phase of slower growth (CSS) that takes the decision back when the delay falls again. It guides
// the first slow start alone, as section 4.3 asks; the zero value is ready for it.
type hystart struct {
	done       bool // the first slow start is over
	css        bool // in Conservative Slow Start
	roundsLeft int  // of CSS, the one in which it began included

	last, current, baseline time.Duration // smallest RTT of the last round, of this one, and of the one that led to CSS; 0: none
	samples                 int           // RTT samples in this round
}

// onAck takes one acknowledgement in slow start; true: slow start ends here, with the window as it is.
func (h *hystart) onAck(rtt time.Duration, newRound bool) bool {
	if h.done {
		return false
	}
	if newRound && h.nextRound() {
		return true
	}
	if rtt <= 0 {
		return false
	}
	if h.current == 0 || rtt < h.current {
		h.current = rtt
	}
	h.samples++
	if h.samples < nRTTSample {
		return false
	}
	if h.css {
		if h.current < h.baseline { // the rise was jitter: resume slow start
			h.css, h.baseline = false, 0
		}
		return false
	}
	if h.last > 0 && h.current >= h.last+min(max(h.last/minRTTDivisor, minRTTThresh), maxRTTThresh) {
		h.css, h.baseline, h.roundsLeft = true, h.current, cssRounds
	}
	return false
}

// nextRound begins a round; true: CSS has lasted its rounds.
func (h *hystart) nextRound() bool {
	h.last, h.current, h.samples = h.current, 0, 0
	if !h.css {
		return false
	}
	h.roundsLeft--
	h.done = h.roundsLeft == 0
	return h.done
}

// growth gives by how much bytes acknowledged raise the window. A paced sender has no burst to fear, so that L is
// infinite (section 4.3).
func (h *hystart) growth(bytes, mss int, paced bool) int {
	if !paced {
		bytes = min(bytes, burstLimit*mss)
	}
	if h.css {
		return bytes / cssGrowthDivisor
	}
	return bytes
}
