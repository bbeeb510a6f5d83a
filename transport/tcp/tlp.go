package tcp

import "time"

// tlp is the tail loss probe (RFC 8985 §7): the last of a flight has nothing behind it that would show its loss.
type tlp struct {
	at       instant // PTO; 0: not armed
	due      bool
	end      int64 // TLP.end_seq: end of the probe in flight; 0: none
	resent   bool  // TLP.is_retrans
	sampleNo int   // RTT samples there were when the last probe left
}

// maxAckDelay is TLP.max_ack_delay, what peers may hold an acknowledgement back.
const maxAckDelay = 200 * time.Millisecond

func (t *tlp) reset() { t.at, t.due, t.end, t.resent = 0, false, 0, false }

// expectsDSACK tells whether a D-SACK up to end is what a probe would cause: it says nothing about reordering.
func (t *tlp) expectsDSACK(end int64) bool { return t.end != 0 && t.resent && t.end == end }

// armProbe schedules the probe: TLP_calc_PTO (§7.2).
func (m *Machine) armProbe() {
	m.tlp.at = 0
	if m.rec.phase != open || m.board.sacked > 0 || m.board.empty() || !m.peer.sack || m.frto.step != 0 {
		return
	}
	pto := time.Second
	if m.rtt.smoothed != 0 {
		pto = max(2*m.rtt.smoothed, 2*clockGrain)
		if m.board.pipe <= m.mtu.mss {
			pto += maxAckDelay
		}
	}
	m.tlp.at = min(m.now+pto, m.rto.at)
}

// tlpExpired is TLP_send_probe (§7.3): a probe leaves only if none is in flight and the round trip was measured since
// the last; in any case the RTO takes over.
func (m *Machine) tlpExpired() {
	m.tlp.at = 0
	m.rto.at = m.now + m.rto.current()
	if m.tlp.end != 0 || m.tlp.sampleNo == m.rtt.samples && m.tlp.sampleNo != 0 {
		return
	}
	m.tlp.due = true
}

// probeSent notes what the probe was.
func (m *Machine) probeSent(end int64, resent bool) {
	m.tlp.due, m.tlp.end, m.tlp.resent, m.tlp.sampleNo = false, end, resent, m.rtt.samples
	m.tlp.at, m.rto.at = 0, m.now+m.rto.current()
	m.stats.Probes++
}

// tlpAcknowledged is TLP_process_ack (§7.4.2): a probe that has repaired the one loss there was hides it from every
// other test, and the congestion control has to learn of it.
func (m *Machine) tlpAcknowledged(ack int64) {
	t, d := &m.tlp, &m.seen
	if t.end == 0 || ack < t.end {
		return
	}
	switch {
	case !t.resent:
		t.end = 0
	case d.dsack && d.dsackEnd == t.end: // case 1: both copies have arrived
		t.end = 0
	case ack > t.end:
		t.end = 0
		d.repaired = m.rec.phase == open
	case d.quiet && !d.sackSeen: // case 2
		t.end = 0
	}
}
