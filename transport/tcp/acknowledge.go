package tcp

import (
	"time"

	"hawser/cc"
	"hawser/transport/wire"
)

// delivery is what one acknowledgement has shown.
type delivery struct {
	advanced  bool // SND.UNA has moved
	acked     int  // bytes delivered by it, cumulatively or selectively, that were not known to be
	original  bool // among them some that were never sent again
	below     bool // … and that were sent before the timeout under test (F-RTO)
	filled    bool // something that was sent again is acknowledged: what lay behind it may have waited at the receiver
	beyond    bool // something was delivered that was first sent after the timeout under test
	newest    span // the most recently sent of the spans delivered, for RTT and rate
	hasNewest bool
	cleanAt   instant // when the most recently sent one among the never-resent was sent; 0: none
	dsack     bool    // the receiver has got something twice (RFC 2883)
	dsackEnd  int64
	dsackLen  int
	sackSeen  bool // a SACK block other than a D-SACK was there
	lost      cc.Loss
	repaired  bool // a tail loss that a probe has repaired: congestion, too
	quiet     bool // a repeated acknowledgement in the sense of RFC 5681 §2
}

// acknowledge takes an acceptable acknowledgement in: scoreboard, round trip, rate sample, loss detection, recovery,
// congestion control and timers, in this order.
func (m *Machine) acknowledge(s *wire.Segment, ack, off int64) {
	d := &m.seen
	*d = delivery{}
	before := m.board.inFlight()
	wasClosed := m.window.closed(m.una)
	d.quiet = ack == m.una && s.Len == 0 && !s.Flags.Has(wire.FIN) && !m.board.empty() && m.window.same(s.Window)
	m.updateWindow(s.Window, off, ack)
	if ack > m.una {
		m.advanceUna(ack)
	}
	m.readSACK(s, ack)
	m.ecn.echoed = m.peer.ecn && s.Flags.Has(wire.ECE)
	if !m.peer.sack {
		m.countDuplicates(d)
	}
	m.sampleRTT(s)
	m.rackUpdate(s)
	m.tlpAcknowledged(ack)
	m.detectSpurious(s)
	m.frtoAcknowledged(ack)
	m.detectLosses()
	m.recover(before)
	m.reportAck()
	m.reopen(wasClosed)
	m.rearm()
}

// advanceUna moves SND.UNA to ack and releases what lies before it.
func (m *Machine) advanceUna(ack int64) {
	b, from := &m.board, m.una
	m.seen.advanced = true
	for sp := b.first(); sp != b.end() && sp.start < ack; sp = b.first() {
		if sp.end > ack {
			b.split(sp, ack)
		}
		m.delivered(sp, true)
		b.remove(sp)
	}
	m.una = ack
	b.fack = max(b.fack, ack)
	if b.assume > 0 { // "deflate … by the amount of new data acknowledged", and add one segment back (RFC 6582 §3.2)
		b.assume = min(max(0, b.assume-int(ack-from)+m.mtu.mss), b.pipe)
		if ack >= m.rec.point {
			b.assume = 0
		}
	}
	m.rto.progressAt, m.rto.backoff = m.now, 0
	m.hold.backoff = 0
	m.queue.release(min(ack, m.queue.end))
	m.event(Event{Kind: EventAcked})
}

// delivered notes that sp has reached the receiver, unless that was known; inOrder: by the cumulative acknowledgement.
func (m *Machine) delivered(sp *span, inOrder bool) {
	if sp.state == sacked {
		return
	}
	d := &m.seen
	d.acked += sp.len()
	if !sp.resent {
		d.original = true
		d.below = d.below || sp.end <= m.frto.point
		d.cleanAt = max(d.cleanAt, sp.sentAt)
		m.rack.noticeReordering(m.board.fack, sp)
	}
	d.filled = d.filled || sp.resent
	d.beyond = d.beyond || sp.end > m.frto.point
	if !d.hasNewest || sentAfter(sp.sentAt, sp.end, d.newest.sentAt, d.newest.end) {
		d.newest, d.hasNewest = *sp, true
	}
	m.mtuDelivered(sp)
	m.rateDelivered(sp)
	m.rack.cand = append(m.rack.cand, candidate{sp.sentAt, sp.end, sp.resent, inOrder})
}

// countDuplicates stands in for SACK where the peer has none: each repeated acknowledgement says that one more segment
// has left the network (RFC 5681 §3.2, RFC 6675 §4 on the same idea). Limited transmit (RFC 3042) follows from it.
func (m *Machine) countDuplicates(d *delivery) {
	if !d.quiet {
		return
	}
	m.board.assume = min(m.board.assume+m.mtu.mss, m.board.pipe)
}

// sampleRTT updates the estimators with at most one sample: from our own notes for what was sent once (Karn's
// algorithm, RFC 6298 §3), else from the timestamp. That one may tell how long a lost acknowledgement was missed rather
// than a round trip, so it counts no more than twice the timeout: a path that has really become so slow says it again.
func (m *Machine) sampleRTT(s *wire.Segment) {
	d := &m.seen
	var sample time.Duration
	switch {
	case d.cleanAt != 0 && !d.filled:
		sample = max(m.now-d.cleanAt, 1)
	case d.advanced && d.acked > 0:
		sample = min(m.echoRTT(s), 2*m.rto.base)
	}
	m.rtt.latest = sample
	if sample != 0 {
		m.sample(sample)
	}
}

// reportAck tells the congestion control, losses first.
func (m *Machine) reportAck() {
	d := &m.seen
	if m.control == nil || d.acked == 0 && m.rtt.latest == 0 {
		return
	}
	a := cc.Ack{
		Bytes: d.acked, RTT: m.rtt.latest, InFlight: m.board.inFlight(),
		Delivered:     m.rate.delivered,
		WindowLimited: m.rate.windowLimited, InRecovery: m.rec.phase != open,
	}
	m.rateSample(&a)
	m.rate.windowLimited = false
	m.control.OnAck(m.wall, a)
}

// reopen sends what a closed window has kept back, or has refused: a window probe that was not taken is no loss.
func (m *Machine) reopen(wasClosed bool) {
	if !wasClosed || m.window.closed(m.una) {
		return
	}
	m.hold.at, m.hold.due, m.hold.backoff = 0, false, 0
	if sp := m.board.first(); sp != m.board.end() && sp.state == inFlight && sp.start == m.una {
		m.board.set(sp, lost)
	}
}
