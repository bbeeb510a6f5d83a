package tcp

import "hawser/transport/wire"

// undo finds out that nothing was lost in an episode (Eifel detection, RFC 3522; D-SACK, RFC 3708) and takes back what
// the congestion control did (RFC 4015).
type undo struct {
	armed   bool
	resent  int     // bytes sent again and not reported as duplicates yet; see begin
	span    offsets // what was sent again lies in it
	again   bool    // something was sent again:
	start   int64   // from here on the first time,
	stamp   uint32  // with this TSval (RetransmitTS)
	judged  bool    // the first acknowledgement after it has come
	beganAt instant // when the episode, or its latest timeout, began
}

// begin starts to watch an episode of loss. What was sent again before it and is still outstanding counts as if it had
// been in it: a duplicate of that must not pass for one of this episode, of which nothing may have been needless.
func (u *undo) begin(m *Machine, fresh bool) {
	u.beganAt = m.now
	if !fresh {
		return
	}
	*u = undo{armed: true, beganAt: m.now}
	for sp := m.board.first(); sp != m.board.end(); sp = sp.next {
		if sp.resent && sp.state != sacked {
			u.add(sp.start, sp.end)
		}
	}
}

// add counts [start, end) as sent again.
func (u *undo) add(start, end int64) {
	if u.resent == 0 && u.span.end == 0 {
		u.span = offsets{start, end}
	}
	u.span = offsets{min(u.span.start, start), max(u.span.end, end)}
	u.resent += int(end - start)
}

// noteResent counts n bytes from start on that are sent again.
func (m *Machine) noteResent(start int64, n int, stamp uint32) {
	u := &m.undo
	if !u.armed {
		return
	}
	u.add(start, start+int64(n))
	if !u.again {
		u.again, u.start, u.stamp = true, start, stamp
	}
}

// detectSpurious looks whether the acknowledgement shows that the episode was none.
func (m *Machine) detectSpurious(s *wire.Segment) {
	u, d := &m.undo, &m.seen
	if !u.armed || !u.again {
		return
	}
	if d.dsack && d.dsackEnd-int64(d.dsackLen) >= u.span.start && d.dsackEnd <= u.span.end && !m.tlp.expectsDSACK(d.dsackEnd) {
		u.resent -= d.dsackLen
		if u.resent <= 0 {
			m.spurious() // every retransmission has turned out to be a duplicate
			return
		}
	}
	if !d.advanced || m.una <= u.start || u.judged || m.rec.phase == open {
		return
	}
	u.judged = true
	// "If the value of the Timestamp Echo Reply field of the acceptable ACK's Timestamps option is smaller than the value
	// of RetransmitTS, then proceed to step (5)" (RFC 3522 §3.2), where the episode is spurious.
	if m.peer.stamped && s.Options.HasTimestamps && s.Options.TSEcr != 0 && tsBefore(s.Options.TSEcr, u.stamp) {
		m.spurious()
	}
}

// spurious takes the episode back: window and rate as before, and what was deemed lost is in flight. It was reordering
// or delay, and RACK has to give it time from now on.
func (m *Machine) spurious() {
	m.undo.armed = false
	m.frto.step, m.frto.room = 0, 0
	m.stats.Undone++
	m.rack.seen = m.rack.seen || m.rec.phase == fast
	b, near := &m.board, (*span)(nil)
	for sp := b.last(); sp != b.end(); sp = sp.prev {
		if sp.state == lost {
			b.set(sp, inFlight)
			b.relaunch(sp, near)
			near = sp
		}
	}
	m.rec.phase = open
	m.rto.due = false
	m.rack.recovered()
	m.control.OnUndo(m.wall)
}
