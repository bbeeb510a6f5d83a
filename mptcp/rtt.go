package mptcp

import "time"

// rttEstimator smooths the round trips of one subflow (RFC 6298 §2), as its carrier's acknowledgements show them.
type rttEstimator struct {
	srtt   time.Duration // 0: not measured
	rttvar time.Duration
	min    time.Duration
}

// startRTT stands for a round trip that was not measured yet.
const startRTT = 250 * time.Millisecond

func (r *rttEstimator) add(rtt time.Duration) {
	if rtt <= 0 {
		return
	}
	if r.srtt == 0 {
		r.srtt, r.rttvar, r.min = rtt, rtt/2, rtt
		return
	}
	r.min = min(r.min, rtt)
	// RFC 6298 §2.3: RTTVAR before SRTT, beta 1/4, alpha 1/8.
	r.rttvar += ((r.srtt - rtt).Abs() - r.rttvar) / 4
	r.srtt += (rtt - r.srtt) / 8
}

// idle takes in the round trip of a probe on a path that carried nothing else: what the path takes now, whatever its
// start-up or its queue had taken before.
func (r *rttEstimator) idle(rtt time.Duration) {
	if rtt > 0 {
		*r = rttEstimator{srtt: rtt, rttvar: rtt / 4, min: rtt}
	}
}

// patience is how long an acknowledgement may reasonably take: srtt + 4·rttvar, and the peer's delay of it.
func (r *rttEstimator) patience() time.Duration {
	if r.srtt == 0 {
		return 2 * startRTT
	}
	return r.srtt + 4*r.rttvar + ackDelay
}

// ackDelay is how long a carrier may hold an acknowledgement back (docs/protocol.md §1.4), with the time that its
// goroutines take.
const ackDelay = 10 * time.Millisecond
