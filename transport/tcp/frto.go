package tcp

// frto is F-RTO (RFC 5682 §3): after a timeout it sends something new instead of everything again, and judges by what
// is acknowledged next whether the network was slow or has lost anything.
type frto struct {
	step  int   // 0: not under test
	point int64 // RecoveryPoint: what was sent before the timeout ends here
	room  int   // bytes of new data that may leave beyond the window (step 2b)
}

// frtoBegin is step 1. "This algorithm SHOULD NOT be applied if the TCP sender is already in loss recovery", except
// when the same timeout has only expired again.
func (m *Machine) frtoBegin() {
	f := &m.frto
	again := m.rec.phase == loss && m.rto.progressAt <= m.undo.beganAt
	if m.rec.phase == open || again && f.step != 0 {
		*f = frto{step: 1, point: m.nxt}
		return
	}
	*f = frto{point: m.nxt}
}

// frtoAcknowledged is steps 2 and 3.
func (m *Machine) frtoAcknowledged(ack int64) {
	f, d := &m.frto, &m.seen
	switch {
	case f.step == 0 || m.rec.phase != loss:
		f.step = 0
	case f.step == 1 && !d.advanced: // repeated ones: stay
	case f.step == 1:
		room := m.window.edge > m.nxt && m.queue.end > m.nxt
		if ack >= f.point || !room {
			f.step = 0 // 2a, or nothing new to test with
			return
		}
		f.step, f.room = 2, 2*m.mtu.mss
	case d.beyond || !d.below && (d.quiet || d.advanced || d.sackSeen): // 3a
		f.step, f.room = 0, 0
	case d.below: // 3b: acknowledges what left before the timeout and was not sent again
		f.step, f.room = 0, 0
		m.spurious()
	}
}
