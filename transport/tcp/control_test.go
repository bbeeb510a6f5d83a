package tcp

import (
	"time"

	"hawser/cc"
)

// reno is a plain AIMD controller (RFC 5681) for tests; it notes what it is told.
type reno struct {
	mss, cwnd, ssthresh   int
	priorCwnd, priorThres int
	rate                  int
	owns                  bool
	acks, losses, firsts  int
	timeouts, undos       int
	recovered, marks      int
	idle                  time.Duration
	lastAck               cc.Ack
	lastLoss              cc.Loss
	fixed                 int // a window that never changes; 0: none
}

func newReno(c cc.Config) *reno {
	return &reno{mss: c.MSS, cwnd: 10 * c.MSS, ssthresh: 1 << 30}
}

func (r *reno) OnSend(time.Time, int, int) {}

func (r *reno) OnAck(_ time.Time, a cc.Ack) {
	r.acks++
	r.lastAck = a
	if a.InRecovery && r.cwnd >= r.ssthresh {
		return
	}
	if !a.WindowLimited {
		return
	}
	if r.cwnd < r.ssthresh {
		r.cwnd += a.Bytes
		return
	}
	r.cwnd += max(1, r.mss*a.Bytes/r.cwnd)
}

func (r *reno) OnLoss(_ time.Time, l cc.Loss) {
	r.losses++
	r.lastLoss = l
	if l.ECN {
		r.marks++
	}
	if l.First {
		r.firsts++
		r.priorCwnd, r.priorThres = r.cwnd, r.ssthresh
		r.ssthresh = max(r.cwnd/2, 2*r.mss)
		r.cwnd = r.ssthresh
	}
}

func (r *reno) OnTimeout(_ time.Time, _ int) {
	r.timeouts++
	if r.cwnd > r.mss {
		r.priorCwnd, r.priorThres = r.cwnd, r.ssthresh
		r.ssthresh = max(r.cwnd/2, 2*r.mss)
	}
	r.cwnd = r.mss
}

func (r *reno) OnUndo(time.Time) {
	r.undos++
	r.cwnd, r.ssthresh = max(r.cwnd, r.priorCwnd), r.priorThres
}

func (r *reno) OnRecovered(time.Time)                  { r.recovered++ }
func (r *reno) OnIdle(_ time.Time, idle time.Duration) { r.idle = idle }
func (r *reno) Rate() int                              { return r.rate }
func (r *reno) OwnsRecovery() bool                     { return r.owns }
func (r *reno) Name() string                           { return "reno" }

func (r *reno) Window() int {
	if r.fixed > 0 {
		return r.fixed
	}
	return r.cwnd
}
