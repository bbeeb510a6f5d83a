package tcp

import "hawser/transport/wire"

// keepAlive is RFC 9293 §3.8.4, and when the peer was last heard.
type keepAlive struct {
	heard instant
	tries int
	due   bool
}

// keepAliveAt is when the next probe is due; 0: none. "Keep-alive packets MUST only be sent when no sent data is
// outstanding, and no data or acknowledgment packets have been received for the connection within an interval."
func (m *Machine) keepAliveAt() instant {
	if m.cfg.KeepAlive <= 0 || m.state < Established || m.state == TimeWait || !m.board.empty() || m.keep.due {
		return 0
	}
	at := m.keep.heard + m.cfg.KeepAlive
	if m.keep.tries > 0 {
		at += m.cfg.KeepGap * instant(m.keep.tries)
	}
	return at
}

// advanceKeepAlive asks for a probe, or gives the peer up: "it MUST NOT interpret a failure to respond to any specific
// probe as a dead connection", so it takes KeepCount of them.
func (m *Machine) advanceKeepAlive() {
	if at := m.keepAliveAt(); at == 0 || m.now < at {
		return
	}
	if m.keep.tries >= m.cfg.KeepCount {
		m.finish(ErrTimeout)
		return
	}
	m.keep.tries++
	m.keep.due = true
}

// emitKeepAlive sends an empty segment right below the peer's window, which it has to answer.
func (m *Machine) emitKeepAlive(s *wire.Segment) bool {
	if !m.keep.due {
		return false
	}
	m.keep.due = false
	m.header(s, m.nxt-1, 0, nil)
	s.Control = true
	return true
}
