package tcp

import (
	"time"

	"hawser/transport/wire"
)

// Append queues b to be sent. It is not copied: b must not change until owner, which is taken over, is released; a nil
// owner means that nobody needs to know. It never blocks and never refuses for want of space: the caller looks at
// Queued. ErrClosed after CloseWrite or the end.
func (m *Machine) Append(b []byte, owner wire.Owner) error {
	return m.append(block{b: b, owner: owner})
}

// AppendMapped is Append with a mapping for Extension.Options. Segments never cross its bounds, retransmissions
// included, so b should be what one super-segment carries (SuperSegment). It begins at the payload offset Appended.
func (m *Machine) AppendMapped(b []byte, owner wire.Owner, mapping wire.Mapping) error {
	return m.append(block{b: b, owner: owner, m: mapping, mapped: true})
}

func (m *Machine) append(b block) error {
	if m.fin || m.state == Closed {
		return ErrClosed
	}
	if len(b.b) == 0 {
		if b.owner != nil {
			b.owner.Release()
		}
		return nil
	}
	m.queue.add(b)
	return nil
}

// Appended is how many bytes were appended so far, and Queued how many of them the peer has not acknowledged.
func (m *Machine) Appended() int64 { return m.queue.end - 1 }

// Queued is how many bytes were appended and not yet acknowledged.
func (m *Machine) Queued() int { return int(m.queue.end - max(1, min(m.una, m.queue.end))) }

// Unsent is how many bytes were appended and not yet sent for the first time.
func (m *Machine) Unsent() int { return int(max(0, m.queue.end-max(1, m.nxt))) }

// Next takes the next run of received bytes, in order; false: none now. The caller owns it and releases it. Taking
// bytes opens the window.
func (m *Machine) Next(now time.Time) (Run, bool) {
	m.clock(now)
	r, ok := m.in.take()
	if ok {
		m.consumed(len(r.B))
	}
	return r, ok
}

// Readable is how many bytes Next has.
func (m *Machine) Readable() int { return m.in.unread }

// CloseWrite ends our stream in order: a FIN follows what was appended (RFC 9293 §3.10.4).
func (m *Machine) CloseWrite() {
	if m.fin || m.state == Closed {
		return
	}
	if m.state == SynSent {
		m.finish(nil) // "delete the TCB" (RFC 9293 §3.10.4)
		return
	}
	m.fin = true
	m.orphan()
}

// orphan notes that no application is left.
func (m *Machine) orphan() {
	if m.fin && m.in.deaf && m.orphanAt == 0 {
		m.orphanAt = m.now
	}
}

// CloseRead says that nobody reads any more. Data that is there or still comes resets the connection, so that the peer
// learns that it went to nobody (RFC 9293 §3.6.1, MUST-17).
func (m *Machine) CloseRead() {
	if m.in.deaf || m.state == Closed {
		return
	}
	m.in.deaf = true
	m.orphan()
	if m.in.unread > 0 {
		m.Abort(ErrAborted)
		return
	}
	if m.state == FinWait2 {
		m.closeAt = m.now + m.cfg.FinWait2
	}
}

// Close is CloseWrite and CloseRead. A peer that takes nothing of what is left for the user timeout is given up, even if it
// answers.
func (m *Machine) Close() {
	m.CloseWrite()
	m.CloseRead()
}

// Abort ends the connection at once (RFC 9293 §3.10.5): the next Emit is a RST where the peer knows the connection.
// err is what EventClosed says; nil stands for ErrAborted. What is in TIME-WAIT has ended in order, and does so now.
func (m *Machine) Abort(err error) {
	if err == nil {
		err = ErrAborted
	}
	if m.state == TimeWait {
		m.finish(nil)
		return
	}
	if m.state != Closed && m.state != SynSent { // nobody else has caused it: it takes nothing of the allowance of challenges
		m.resetAt = &resetSegment{seq: m.sendSeq(m.nxt), ack: m.recvSeq(m.in.nxt), hasAck: true}
	}
	m.finish(err)
}

// Acknowledge makes the next Emit send a segment at once, with data or alone: an Extension has something to say.
func (m *Machine) Acknowledge() {
	if m.state > SynReceived && m.state != TimeWait {
		m.ack.owe()
	}
}
