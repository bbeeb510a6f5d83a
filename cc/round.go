package cc

// rounds counts packet-timed round trips: one has passed when a segment is acknowledged that was sent after the last
// one ended (draft-ietf-ccwg-bbr, section 5.5.1; RFC 9406, section 4.2, says the same in sequence numbers).
type rounds struct {
	end     int64 // Delivered at which the current round ends
	count   int
	started bool // the last acknowledgement began a round
}

// onAck tells whether a begins a round.
func (r *rounds) onAck(a Ack) bool {
	r.started = a.Bytes > 0 && a.PriorDelivered >= r.end
	if r.started {
		r.restart(a.Delivered)
		r.count++
	}
	return r.started
}

// restart lets the current round end with the first segment that is sent from now on.
func (r *rounds) restart(delivered int64) { r.end = delivered }

// fill remembers whether the window was full in this round or the last.
type fill struct{ now, before bool }

func (f *fill) onAck(windowLimited, newRound bool) {
	if newRound {
		f.before, f.now = f.now, false
	}
	f.now = f.now || windowLimited
}

func (f *fill) recent() bool { return f.now || f.before }
