package tcp

import "hawser/transport/wire"

// receiveSynchronized is RFC 9293 §3.10.7.4, check by check, as amended by RFC 5961 and RFC 7323 §5.3.
func (m *Machine) receiveSynchronized(s *wire.Segment) error {
	off := m.recvOff(s.Seq)
	if ok, err := m.stampsAcceptable(s, off); !ok {
		return err
	}
	if !m.acceptable(off, s.SpaceLen()) { // first
		return m.refuseOutside(s, off)
	}
	if s.Flags.Has(wire.RST) { // second
		return m.receiveReset(off)
	}
	if s.Flags.Has(wire.SYN) { // fourth
		return m.receiveSYN(s)
	}
	m.remember(s, off)
	m.keep.heard, m.keep.tries = m.now, 0
	if !s.Flags.Has(wire.ACK) { // fifth: "if the ACK bit is off, drop the segment"
		return errUnsound
	}
	if err := m.receiveAck(s, off); err != nil || m.state == Closed {
		return err
	}
	if m.peer.ecn {
		m.ecn.receive(s)
	}
	m.options(s, off)
	return m.receiveText(s) // seventh and eighth; sixth, urgent data, is received in line (RFC 6093 §6)
}

// acceptable is the table of RFC 9293 §3.10.7.4: of the segment, something must lie in the window, or it must be an
// empty one right at a closed window. An empty segment may also begin between what was acknowledged last and what has
// come since: data that left after it has overtaken it, and its acknowledgement is as good as ever.
func (m *Machine) acceptable(off int64, n int) bool {
	nxt, edge := m.in.nxt, max(m.buf.edge, m.in.nxt)
	switch {
	case n == 0:
		return off >= min(m.ts.lastAck, nxt) && (off < edge || off == nxt)
	case edge == nxt:
		// "If the RCV.WND is zero, no segments will be acceptable, but special allowance should be made to accept valid
		// ACKs, URGs, and RSTs": what starts right at the edge is looked at, its text is then cut off.
		return off == nxt
	}
	end := off + int64(n)
	return off >= nxt && off < edge || end > nxt && end <= edge || off < nxt && end > edge
}

// refuseOutside answers what is not in the window: "an acknowledgment should be sent in reply (unless the RST bit is
// set)" (RFC 9293 §3.10.7.4), with a report of the duplicate (RFC 2883 §4) and at a limited rate.
func (m *Machine) refuseOutside(s *wire.Segment, off int64) error {
	if s.Flags.Has(wire.RST) {
		return errUnsound
	}
	if s.Flags.Has(wire.SYN) && m.state == TimeWait && m.reusable(s) {
		m.finish(nil)
		return ErrReuse
	}
	if s.Flags.Has(wire.SYN|wire.ACK) && m.state == SynReceived && off == 0 {
		m.ack.owe() // the other half of a simultaneous open (RFC 9293 §3.5, figure 7)
		return m.receiveAck(s, 1)
	}
	if s.Flags.Has(wire.SYN) && m.state == SynReceived {
		m.syn.due = m.syn.due || m.challenge.allow(m.now) // our SYN-ACK was lost, or theirs is repeated
		return errUnsound
	}
	end := off + int64(s.SpaceLen())
	if m.state == TimeWait && s.Flags.Has(wire.FIN) && end == m.in.nxt {
		m.closeAt = m.now + m.timeWait() // "acknowledge it, and restart the 2 MSL timeout"
	}
	if s.Len > 0 && end <= m.in.nxt {
		m.ack.duplicate(off, off+int64(s.Len))
		m.ack.owe() // a retransmission that was not needed: the peer has to know
		return errUnsound
	}
	if m.challenge.allow(m.now) {
		m.ack.owe()
	}
	return errUnsound
}

// reusable tells whether a SYN may take the place of a connection in TIME-WAIT: its timestamp or its sequence number
// is above what this one has seen (RFC 9293 §3.10.7.4, RFC 6191 §2).
func (m *Machine) reusable(s *wire.Segment) bool {
	if s.Options.HasTimestamps && m.ts.recentAt != 0 && s.Options.TSVal != m.ts.recent {
		return tsBefore(m.ts.recent, s.Options.TSVal)
	}
	return m.recvOff(s.Seq) > m.in.nxt
}

// receiveReset: "1) If the RST bit is set and the sequence number is outside the current receive window, silently drop
// the segment. 2) If … exactly matches the next expected sequence number (RCV.NXT), then TCP endpoints MUST reset the
// connection … 3) If … does not exactly match …, TCP endpoints MUST send an acknowledgment (challenge ACK)"
// (RFC 9293 §3.10.7.4, RFC 5961 §3.2).
func (m *Machine) receiveReset(off int64) error {
	if off != m.in.nxt {
		m.challengeAck()
		return errUnsound
	}
	switch {
	case m.state == SynReceived && m.syn.tries > 0:
		m.finish(ErrRefused)
	case m.state == TimeWait || (m.state == LastAck || m.state == Closing) && m.una >= m.queue.end:
		// Both streams have ended and ours has arrived. Where some of it has not been acknowledged, nobody knows, and who
		// has sent it must learn that, though RFC 9293 has the connection end in silence.
		m.finish(nil)
	default:
		m.finish(ErrReset)
	}
	return ErrReset
}

// receiveSYN: "If the SYN bit is set in these synchronized states … TCP endpoints MUST send a 'challenge ACK' to the
// remote peer" (RFC 9293 §3.10.7.4, RFC 5961 §4.2).
func (m *Machine) receiveSYN(s *wire.Segment) error {
	if m.state == TimeWait && m.reusable(s) {
		m.finish(nil)
		return ErrReuse
	}
	m.challengeAck()
	return errUnsound
}

// receiveAck is the fifth check of RFC 9293 §3.10.7.4.
func (m *Machine) receiveAck(s *wire.Segment, off int64) error {
	ack := m.sendOff(s.Ack)
	if m.state == SynReceived {
		if ack < 1 || ack > m.nxt {
			m.reset(&resetSegment{seq: s.Ack})
			return errUnsound
		}
		m.window.begin(1, int64(s.Window))
		m.establish(s)
	}
	// "The ACK value is considered acceptable only if it is in the range of ((SND.UNA - MAX.SND.WND) <= SEG.ACK <=
	// SND.NXT). All incoming segments whose ACK value doesn't satisfy the above condition MUST be discarded and an ACK
	// sent back" (RFC 5961 §5.2).
	if ack > m.nxt || ack < m.una-m.window.max {
		m.challengeAck()
		return errUnsound
	}
	m.acknowledge(s, ack, off)
	if m.una > m.queue.end && m.fin {
		m.finAcked()
	}
	return nil
}

// stampsAcceptable is what timestamps have to say about a segment before anything else.
func (m *Machine) stampsAcceptable(s *wire.Segment, off int64) (bool, error) {
	if !m.peer.stamped {
		return true, nil
	}
	if !s.Options.HasTimestamps {
		// "If a non-<RST> segment is received without a TSopt, a TCP SHOULD silently drop the segment" (RFC 7323 §3.2).
		return s.Flags.Has(wire.RST), errUnsound
	}
	if !m.paws(s) || s.Flags.Has(wire.SYN) && m.state == TimeWait {
		return true, nil
	}
	// "Send an acknowledgment in reply … and drop the segment" (RFC 7323 §5.3, R1).
	m.stats.PAWS++
	if end := off + int64(s.Len); s.Len > 0 && end <= m.in.nxt {
		m.ack.duplicate(off, end)
	}
	if m.challenge.allow(m.now) {
		m.ack.owe()
	}
	return false, errUnsound
}

// receiveText takes payload and FIN.
func (m *Machine) receiveText(s *wire.Segment) error {
	off := m.recvOff(s.Seq)
	if s.Flags.Has(wire.SYN) {
		off++
	}
	end := off + int64(s.Len)
	if s.Len > 0 {
		if !m.state.receives() && m.state != SynReceived {
			return nil // after the peer's FIN: "This should not occur … Ignore the segment text"
		}
		if m.in.deaf && end > m.in.nxt {
			m.Abort(ErrAborted) // RFC 9293 §3.6.1 (MUST-17), as in CloseRead
			return ErrAborted
		}
		m.receiveData(s, off)
	}
	if s.Flags.Has(wire.FIN) && m.state > SynReceived { // not before: what repeats SYN-ACK and gives up is bound to that state
		m.receiveFin(end)
	}
	return nil
}

// receiveFin notes a FIN at offset at, and acts on it once everything before it is there.
func (m *Machine) receiveFin(at int64) {
	if m.in.fin == 0 && at >= m.in.nxt && at <= max(m.buf.edge, m.in.nxt) {
		m.in.fin = at
	}
	m.ack.owe()
	m.reachFin()
}

// reachFin takes the FIN when it is next.
func (m *Machine) reachFin() {
	if m.in.fin == 0 || m.in.nxt != m.in.fin || m.in.finTaken {
		return
	}
	m.in.finTaken = true
	m.in.nxt++
	m.buf.edge = max(m.buf.edge, m.in.nxt)
	m.ack.owe()
	m.finReceived()
}

// options hands the options of kind 30 up. Everything that makes the segment valid has been checked (RFC 8684 §3:
// out-of-window segments change nothing).
func (m *Machine) options(s *wire.Segment, off int64) {
	if m.cfg.Extension == nil || len(s.Options.MPTCP()) == 0 {
		return
	}
	m.event(Event{Kind: EventOptions, Options: s.Options, Flags: s.Flags, Offset: max(off, 1) - 1, Len: s.Len})
}
