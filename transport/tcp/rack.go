package tcp

import (
	"time"

	"hawser/transport/wire"
)

// rack is RFC 8985 §6: what was sent before something that was delivered, and long enough ago, is lost.
type rack struct {
	at      instant       // reordering timer
	sentAt  instant       // RACK.xmit_ts; 0: nothing was delivered yet
	end     int64         // RACK.end_seq
	rtt     time.Duration // RACK.rtt
	seen    bool          // RACK.reordering_seen
	mult    int           // RACK.reo_wnd_mult - 1
	persist int           // RACK.reo_wnd_persist
	round   int64         // RACK.dsack_round; 0: none
	cand    []candidate   // spans that the acknowledgement in hand has delivered
}

// candidate is a delivered span as RACK_update wants it.
type candidate struct {
	sentAt  instant
	end     int64
	resent  bool
	inOrder bool
}

// dupThresh is DupThresh of RFC 6675 in segments.
const dupThresh = 3

// sentAfter is RACK_sent_after: spans that left together are told apart by their place.
func sentAfter(t1 instant, end1 int64, t2 instant, end2 int64) bool {
	return t1 > t2 || t1 == t2 && end1 > end2
}

// noticeReordering is step 3 of §6.2: something that was sent once arrives after what was sent later.
func (r *rack) noticeReordering(fack int64, sp *span) {
	if sp.end <= fack && sp.state != sacked {
		r.seen = true
	}
}

// rackUpdate is steps 1, 2 and 4 of §6.2. The timestamp echo tells transmissions apart only where the cumulative
// acknowledgement has moved: for what came out of order, a receiver echoes something older (RFC 7323 §4.3), and the
// round trip alone has to decide.
func (m *Machine) rackUpdate(s *wire.Segment) {
	r := &m.rack
	for _, c := range r.cand {
		if m.seen.filled && !c.resent && !m.peer.sack {
			continue // it came long ago, and nobody could say so
		}
		rtt := max(m.now-c.sentAt, 1)
		if c.resent && (c.inOrder && m.echoesOlder(s, c.sentAt) || rtt < m.rtt.min.value) {
			continue // the acknowledgement may be that of an earlier transmission
		}
		if r.sentAt == 0 || sentAfter(c.sentAt, c.end, r.sentAt, r.end) {
			r.sentAt, r.end, r.rtt = c.sentAt, c.end, rtt
		}
	}
	r.cand = r.cand[:0]
	if r.round != 0 && m.una >= r.round {
		r.round = 0
	}
	if r.round == 0 && m.seen.dsack && !m.tlp.expectsDSACK(m.seen.dsackEnd) {
		r.round = m.nxt
		r.mult++
		r.persist = 16
	}
}

// echoesOlder tells whether the timestamp echo belongs to a time before sentAt.
func (m *Machine) echoesOlder(s *wire.Segment, sentAt instant) bool {
	if !m.peer.stamped || !s.Options.HasTimestamps {
		return false
	}
	return tsBefore(s.Options.TSEcr, m.tsAt(sentAt))
}

// rackRecovered ends an episode: "Reset the window after 16 DSACK-free recoveries" (§6.2, step 4).
func (r *rack) recovered() {
	if r.persist > 0 {
		r.persist--
		if r.persist == 0 {
			r.mult = 0
		}
	}
}

// reoWindow is RACK_update_reo_wnd. A least round trip below the clock's grain counts as one grain: it says how fast the
// path is when nobody has to wait for a processor, and not by how much segments overtake each other when somebody has.
func (m *Machine) reoWindow() time.Duration {
	r := &m.rack
	if !r.seen && (m.rec.phase != open || m.board.sacked > (dupThresh-1)*m.mtu.mss) {
		return 0
	}
	return min(time.Duration(r.mult+1)*max(m.rtt.min.value, clockGrain)/4, m.rtt.smoothed)
}

// detectLosses is RACK_detect_loss_and_arm_timer, step 5 of §6.2. The list by time makes it stop early.
func (m *Machine) detectLosses() {
	r, b := &m.rack, &m.board
	r.at = 0
	if m.frto.step != 0 {
		return // the timeout is still to be judged (RFC 5682)
	}
	if !m.peer.sack {
		m.detectByDuplicates()
	}
	if r.sentAt == 0 {
		return
	}
	window := m.reoWindow()
	for sp := b.flight.newer; sp != &b.flight; {
		if !sentAfter(r.sentAt, r.end, sp.sentAt, sp.end) {
			break
		}
		next := sp.newer
		if wait := sp.sentAt + r.rtt + window - m.now; wait <= 0 {
			m.lose(sp)
		} else {
			r.at = max(r.at, m.now+wait)
		}
		sp = next
	}
}

// detectByDuplicates is fast retransmit and NewReno's answer to a partial acknowledgement, for peers without SACK
// (RFC 5681 §3.2, RFC 6582 §3.2).
func (m *Machine) detectByDuplicates() {
	b := &m.board
	sp := b.first()
	if sp == b.end() || sp.state != inFlight {
		return
	}
	third := m.rec.phase == open && b.assume >= dupThresh*m.mtu.mss && m.seen.quiet && m.una > m.rec.point
	partial := m.rec.phase == fast && m.seen.advanced && m.una < m.rec.point
	if third || partial {
		if sp.len() > sp.mss && sp.mss > 0 {
			b.split(sp, sp.start+int64(sp.mss))
		}
		m.lose(sp)
	}
}

// lose deems sp lost.
func (m *Machine) lose(sp *span) {
	m.board.set(sp, lost)
	m.stats.Lost += int64(sp.len())
	if m.mtuLost(sp) {
		return
	}
	l := &m.seen.lost
	l.Bytes += sp.len()
	l.SentInFlight = max(l.SentInFlight, sp.sample.inFlight)
}

// markOnTimeout is RACK_mark_losses_on_RTO (§6.3).
func (m *Machine) markOnTimeout() {
	b := &m.board
	window := m.reoWindow()
	for sp := b.first(); sp != b.end(); sp = sp.next {
		old := m.rack.sentAt != 0 && sp.sentAt+m.rack.rtt+window <= m.now
		if sp.state == inFlight && (sp == b.first() || old && m.frto.step == 0) {
			m.board.set(sp, lost)
			m.stats.Lost += int64(sp.len())
		}
	}
}
