package tcp

import "hawser/cc"

// phase is how the sender stands with losses.
type phase uint8

const (
	open phase = iota
	fast       // fast recovery: losses seen by acknowledgements
	loss       // after a retransmission timeout
)

// recovery is the episode of loss in progress, with proportional rate reduction (RFC 6937 as revised by RFC 9937) for
// controllers that leave it to the sender.
type recovery struct {
	phase     phase
	point     int64 // the episode ends when this is acknowledged
	flight    int   // RecoverFS: bytes outstanding when it began
	delivered int   // prr_delivered
	out       int   // prr_out
	window    int   // bytes that may be in flight by the reduction
	ecnPoint  int64 // no second answer to congestion marks before this is acknowledged
}

// recover begins, continues or ends an episode after an acknowledgement or the reordering timer; before is what was in
// flight before it.
func (m *Machine) recover(before int) {
	r, d := &m.rec, &m.seen
	if r.phase != open && m.una >= r.point {
		m.recovered()
	}
	marked := m.ecn.echoed && m.una > r.ecnPoint
	switch {
	case d.lost.Bytes > 0 && r.phase == open:
		m.beginRecovery(before, d.lost)
	case d.lost.Bytes > 0:
		d.lost.InFlight = m.board.inFlight()
		m.control.OnLoss(m.wall, d.lost)
	case d.repaired:
		m.beginRecovery(before, cc.Loss{Bytes: m.mtu.mss})
	case marked && r.phase == open:
		r.ecnPoint = m.nxt
		m.ecn.reduced = true
		m.control.OnLoss(m.wall, cc.Loss{First: true, ECN: true, InFlight: m.board.inFlight()})
	}
	m.reduce(d)
	d.lost = cc.Loss{}
	m.ecn.echoed = false
}

// beginRecovery enters fast recovery (RFC 6675 §5, point 4).
func (m *Machine) beginRecovery(before int, l cc.Loss) {
	m.rec = recovery{phase: fast, point: m.nxt, flight: max(before, 1), ecnPoint: m.nxt}
	m.undo.begin(m, true)
	m.tlp.reset()
	m.ecn.reduced = true
	m.stats.Recoveries++
	l.First, l.InFlight = true, m.board.inFlight()
	m.control.OnLoss(m.wall, l)
	m.rto.due = m.board.lost > 0 // the first one always leaves (RFC 6675 §5, 4.3)
	m.rec.window = m.board.inFlight()
}

// recovered ends an episode.
func (m *Machine) recovered() {
	m.rec.phase = open
	m.rto.due = false
	m.frto.step, m.frto.room = 0, 0
	m.rack.recovered()
	m.control.OnRecovered(m.wall)
}

// reduce is PRR on an acknowledgement in fast recovery.
func (m *Machine) reduce(d *delivery) {
	r := &m.rec
	if r.phase != fast || m.control.OwnsRecovery() || d.acked == 0 && !d.quiet {
		return
	}
	delivered := d.acked
	if !m.peer.sack && d.quiet {
		delivered = m.mtu.mss // what RFC 6937 §4 counts for a repeated acknowledgement without SACK
	}
	r.delivered += delivered
	target, pipe := m.control.Window(), m.board.inFlight()
	var n int
	if pipe > target {
		n = int((int64(r.delivered)*int64(target)+int64(r.flight)-1)/int64(r.flight)) - r.out
	} else {
		limit := r.delivered - r.out
		// SafeACK: the acknowledgement moves SND.UNA and shows no new loss (RFC 9937 §6.2)
		if d.advanced && d.lost.Bytes == 0 {
			limit = max(limit, delivered) + m.mtu.mss
		}
		n = min(target-pipe, max(limit, delivered))
	}
	if r.out == 0 {
		n = max(n, m.mtu.mss) // the fast retransmit itself
	}
	r.window = pipe + max(n, 0)
}

// cwnd is how many bytes may be in flight now.
func (m *Machine) cwnd() int {
	if m.rec.phase == fast && !m.control.OwnsRecovery() {
		return m.rec.window
	}
	return m.control.Window()
}
