package tcp

// sendWindow is the peer's receive window (RFC 9293 §3.8.6). It may shrink, though it should not (MUST-34): the sender
// then holds new data back and still repeats what has left.
type sendWindow struct {
	edge  int64 // SND.UNA + SND.WND: the first offset that may not be sent
	max   int64 // MAX.SND.WND (RFC 5961 §5.2)
	wl1   int64 // SND.WL1, offset of the peer's stream
	wl2   int64 // SND.WL2
	field uint16
}

// begin takes the window of SYN or SYN-ACK, which is never scaled (RFC 7323 §2.2).
func (w *sendWindow) begin(ack, n int64) {
	*w = sendWindow{edge: ack + n, max: n, wl2: ack, field: uint16(n)}
}

// same tells whether the field repeats what the last acknowledgement said.
func (w *sendWindow) same(field uint16) bool { return w.field == field }

// closed tells whether not a byte above una may be sent.
func (w *sendWindow) closed(una int64) bool { return w.edge <= una }

// update: "If (SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK)), set SND.WND <- SEG.WND, set SND.WL1 <-
// SEG.SEQ, and set SND.WL2 <- SEG.ACK" (RFC 9293 §3.10.7.4).
func (m *Machine) updateWindow(field uint16, off, ack int64) {
	w := &m.window
	if ack < m.una || w.wl1 > off || w.wl1 == off && w.wl2 > ack {
		return
	}
	n := int64(field)
	if m.peer.scaled {
		n <<= m.peer.scale
	}
	w.field, w.wl1, w.wl2 = field, off, ack
	w.max = max(w.max, n)
	w.edge = ack + n
}

// silly tells whether n bytes from SND.NXT on are too few to be sent: less than a full segment and than half of the
// largest window, though more is queued (RFC 9293 §3.8.6.2.1, without Nagle's clause).
func (m *Machine) silly(n int) bool {
	whole := m.nxt+int64(n) >= m.queue.end
	return !whole && n < m.mtu.mss && int64(n) < m.window.max/2 && !m.hold.force
}
