package tcp

// persist is the persist timer (RFC 9293 §3.8.6.1): it asks a peer whose window is closed whether it still is, for the
// segment that opens it may be lost.
type persist struct {
	at      instant
	backoff int
	asked   instant // when a probe left after the last answer
	due     bool    // one byte is to be sent though the window is closed
	force   bool    // a small segment may leave (the override of §3.8.6.2.1)
}

// armPersist starts the timer when data waits for the peer's window alone. "The transmitting host SHOULD send the first
// zero-window probe when a zero window has existed for the retransmission timeout period, and SHOULD increase
// exponentially the interval between successive probes."
func (m *Machine) armPersist() {
	waits := m.queue.end > m.nxt && m.state.sends() && m.board.empty()
	room := m.window.edge - m.nxt
	if !waits || room > 0 && !m.silly(int(min(room, m.queue.end-m.nxt))) {
		m.hold.at = 0
		return
	}
	if m.hold.at == 0 {
		m.hold.at = m.now + min(m.rto.base<<min(m.hold.backoff, 10), maxRTO)
	}
}

// persistExpired lets one byte, or what fits into a small window, leave.
func (m *Machine) persistExpired() {
	m.hold.at = 0
	m.hold.backoff++
	if m.window.edge > m.nxt {
		m.hold.force = true
		return
	}
	m.hold.due = true
}
