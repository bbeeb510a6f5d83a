package tcp

import "time"

const (
	initialRTO = time.Second      // RFC 6298 §2.1
	maxRTO     = 60 * time.Second // RFC 6298 §2.5: "at least 60 seconds"
	// clockGrain is G of RFC 6298 §2.3, what timers of user space are good for.
	clockGrain = time.Millisecond
)

// retransmission is the retransmission timer (RFC 6298 §5).
type retransmission struct {
	base       time.Duration // RTO without back-off
	backoff    int
	at         instant // 0: not running
	due        bool    // the first span is to be sent again whatever windows say
	progressAt instant // when SND.UNA last moved, or the first byte left on a silent connection
}

func (r *retransmission) init() { r.base = initialRTO }

// update is "RTO <- SRTT + max (G, K*RTTVAR)" (RFC 6298 §2.3).
func (r *retransmission) update(e *rtt, least time.Duration) {
	r.base = min(max(e.smoothed+max(clockGrain, 4*e.variance), least), maxRTO)
	r.backoff = 0
}

// current is the RTO with back-off: "RTO <- RTO * 2" (RFC 6298 §5.5).
func (r *retransmission) current() time.Duration { return min(r.base<<min(r.backoff, 10), maxRTO) }

// rearm sets the one timer of the sender after an acknowledgement: what waits for acknowledgements restarts
// (RFC 6298 §5.3), what is all acknowledged stops (§5.2).
func (m *Machine) rearm() {
	if m.board.empty() {
		m.rto.at, m.tlp.at, m.rack.at = 0, 0, 0
		m.rate.idleSince = m.now
		m.armPersist()
		return
	}
	m.hold.at = 0
	if m.seen.advanced || m.rto.at == 0 {
		m.rto.at = m.now + m.rto.current()
		m.armProbe()
	}
	if m.rec.phase != open || m.board.sacked > 0 || m.rack.at != 0 {
		m.tlp.at = 0 // "unless it is already in fast recovery, RTO recovery, or segments have been SACKed" (RFC 8985 §7.2)
	}
}

// timer is when the sender's timer expires. Reordering timer, probe timeout and RTO exclude each other in this order
// (RFC 8985 §8).
func (m *Machine) timer() instant {
	switch {
	case m.board.empty():
		return m.hold.at
	case m.rack.at != 0:
		return m.rack.at
	case m.tlp.at != 0:
		return min(m.tlp.at, m.rto.at)
	}
	return m.rto.at
}

// advanceRetransmission acts on whichever is due.
func (m *Machine) advanceRetransmission() {
	at := m.timer()
	if at == 0 || m.now < at || m.control == nil {
		return
	}
	switch {
	case m.board.empty():
		m.persistExpired()
	case m.rack.at != 0:
		before := m.board.inFlight()
		m.seen = delivery{}
		m.detectLosses()
		m.recover(before)
		m.rearm()
	case m.tlp.at != 0:
		m.tlpExpired()
	default:
		m.timeout()
	}
}

// timeout is RFC 6298 §5.4 to 5.6 with RACK's marking (RFC 8985 §6.3).
func (m *Machine) timeout() {
	if m.giveUp() {
		return
	}
	m.tlp.reset()
	m.rto.backoff++
	m.rto.at = m.now + m.rto.current()
	m.rto.due = true
	if m.window.closed(m.una) {
		// The peer has taken its window back; this is a probe, no sign of congestion (RFC 9293 §3.8.6.1).
		if sp := m.board.first(); sp.state == inFlight {
			m.board.set(sp, lost)
		}
		return
	}
	m.stats.Timeouts++
	m.mtuTimeout()
	m.fallBackECN()
	before := m.board.inFlight()
	if m.reneged() {
		m.renege()
	}
	m.frtoBegin()
	m.markOnTimeout()
	m.board.assume = 0
	m.undo.begin(m, m.rec.phase != loss)
	m.rec.phase, m.rec.point = loss, m.nxt
	m.control.OnTimeout(m.wall, before)
}

// giveUp ends a connection on which nothing was acknowledged for the user timeout (RFC 9293 §3.8.3, R2). A peer that
// keeps its window closed and answers probes may do so for ever (§3.8.6.1, MUST-37), as long as there is an application
// that could end it: after Close it has the user timeout, or it would hold what waits for good.
func (m *Machine) giveUp() bool {
	since := m.rto.progressAt
	if m.window.closed(m.una) {
		if m.keep.heard >= m.board.first().sentAt {
			m.hold.asked = m.now // the last probe was answered
		}
		if m.orphanAt == 0 {
			since = max(since, m.hold.asked)
		} else if m.hold.asked > since { // it is there, and the time counts from Close at the earliest
			if since = max(since, m.orphanAt); m.now-since >= m.cfg.UserTimeout {
				m.Abort(ErrTimeout)
				return true
			}
		}
	}
	if m.now-since < m.cfg.UserTimeout {
		return false
	}
	err := ErrTimeout
	if m.syn.failedBy != nil {
		err = m.syn.failedBy
	}
	m.finish(err)
	return true
}
