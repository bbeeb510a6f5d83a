package tcp

import (
	"time"

	"hawser/transport/wire"
)

// receiveWindow is how much the peer may send, and how that grows with what is read (dynamic right-sizing).
type receiveWindow struct {
	size    int   // bytes kept for data that nobody has read yet
	edge    int64 // the first offset that the peer was never allowed to send
	granted int   // bytes taken from the budget
	shared  bool  // SetWindow decides
	pending int64 // edge of the segment being made

	rtt     time.Duration // round trip as the receiver sees it; 0: not known
	markAt  instant       // when everything below mark was first allowed
	mark    int64
	roundAt instant // begin of the measured round
	copied  int     // bytes read in it
	last    int     // … and in the one before
}

func (w *receiveWindow) init(c *Config) { w.size = c.ReceiveBuffer }

// begin takes the memory of the first window from the budget; with none left, it is two packets.
func (w *receiveWindow) begin(m *Machine) {
	if !m.peer.scaled {
		w.size = min(w.size, 0xffff)
	}
	if b := m.cfg.Budget; b != nil {
		if b.Reserve(charge(w.size)) {
			w.granted = charge(w.size)
		} else {
			w.size = min(w.size, 2*m.mtu.top)
		}
	}
	w.edge = max(w.edge, m.in.nxt+int64(min(w.size, 0xffff)))
	w.markAt, w.mark = m.now, m.in.nxt+int64(w.size)
	w.roundAt = m.now
}

func (w *receiveWindow) giveBack(c *Config) {
	if w.granted > 0 {
		c.Budget.Release(w.granted)
		w.granted = 0
	}
}

// SetWindow takes the receive window out of the machine's hands: n bytes from what has come in order on, as a session
// over several connections has for all of them (RFC 8684 §3.3.4). It may shrink; what was allowed once is accepted.
func (m *Machine) SetWindow(n int) {
	m.buf.shared = true
	m.buf.size = min(n, maxWindow)
}

// windowField is the window for a segment that leaves now. The right edge does not move back (RFC 9293 §3.8.6, SHLD-14),
// and forward only by a useful amount: "at least Fr * RCV.BUFF … or one Eff.snd.MSS" (§3.8.6.2.2). A window counts in
// units of 2^scale from RCV.NXT, so an edge that is to stay is rounded up, but never by more than one unit in all beyond
// the memory that there is: a peer of small segments could else move it on by itself. Then what is said is less by a part
// of a unit, which is a retraction that RFC 7323 §2.4 knows; what was allowed once is accepted.
func (m *Machine) windowField() uint16 {
	w, nxt := &m.buf, m.in.nxt
	scale := uint8(0)
	if m.peer.scaled {
		scale = m.peer.ownScale
	}
	limit := nxt + int64(w.size)
	if !w.shared {
		limit -= int64(m.in.unread)
	}
	edge := max(limit, nxt)
	if !w.shared && edge-w.edge < int64(min(w.size/2, m.ack.mss)) {
		edge = max(w.edge, nxt)
		if rest := (edge - nxt) & (1<<scale - 1); rest > 0 && edge-rest < limit {
			edge += 1<<scale - rest
		}
	}
	field := min((edge-nxt)>>scale, 0xffff)
	w.pending = nxt + field<<scale
	return uint16(field)
}

// advertised notes that a segment with the window of windowField has left.
func (w *receiveWindow) advertised() { w.edge = max(w.edge, w.pending) }

// received estimates the round trip at the receiver: by the timestamps that data echoes, else by how long one window
// takes to come, which is no shorter.
func (w *receiveWindow) received(m *Machine, s *wire.Segment) {
	sample := time.Duration(0)
	if m.peer.stamped {
		sample = m.echoRTT(s)
	} else if m.in.nxt >= w.mark {
		sample = max(m.now-w.markAt, 1)
		w.markAt, w.mark = m.now, m.in.nxt+int64(w.size)
	}
	switch {
	case sample == 0:
	case w.rtt == 0 || sample < w.rtt:
		w.rtt = sample
	default:
		w.rtt += (sample - w.rtt) / 8
	}
}

// consumed notes that the application has taken n bytes, lets the window grow, and tells the peer when it has been
// waiting for that.
func (m *Machine) consumed(n int) {
	w := &m.buf
	w.copied += n
	m.grow()
	if m.state == Closed || m.in.finTaken || w.shared {
		return
	}
	left := max(0, w.edge-m.in.nxt)
	gain := m.in.nxt + int64(w.size-m.in.unread) - w.edge
	if gain >= int64(min(w.size/2, m.ack.mss)) && gain >= left {
		m.ack.owe()
	}
}

// grow doubles the window as long as the application reads a good part of it in a round trip.
func (m *Machine) grow() {
	w := &m.buf
	rtt := w.rtt
	if rtt == 0 {
		rtt = m.rtt.smoothed
	}
	if rtt == 0 || m.now-w.roundAt < rtt || w.shared {
		return
	}
	want := 2 * w.copied
	if w.copied > w.last {
		want = 4 * w.copied // the sender may be in slow start: next time it is twice as much
	}
	w.last, w.copied, w.roundAt = w.copied, 0, m.now
	limit := m.cfg.MaxReceiveBuffer
	if !m.peer.scaled {
		limit = 0xffff
	}
	want = min(want, limit)
	if want <= w.size {
		return
	}
	if b := m.cfg.Budget; b != nil {
		if !b.Reserve(charge(want) - w.granted) {
			return
		}
		w.granted = charge(want)
	}
	w.size = want
}
