package tcp

import "time"

// State is a connection's state (RFC 9293 §3.3.2).
type State uint8

// The states. LISTEN is a Listener.
const (
	Closed State = iota
	SynSent
	SynReceived
	Established
	FinWait1
	FinWait2
	CloseWait
	Closing
	LastAck
	TimeWait
)

var stateNames = [...]string{
	"CLOSED", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
}

// String is the name that the standard uses.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "state?"
}

// sends tells whether new data or a FIN may leave in this state.
func (s State) sends() bool { return s == Established || s == CloseWait }

// receives tells whether data may still come in this state (RFC 9293 §3.10.7.4, seventh check).
func (s State) receives() bool { return s == Established || s == FinWait1 || s == FinWait2 }

// finSent moves on after our FIN has left for the first time (RFC 9293 §3.10.4).
func (m *Machine) finSent() {
	switch m.state {
	case Established:
		m.state = FinWait1
	case CloseWait:
		m.state = LastAck
	}
}

// finAcked moves on after the peer has acknowledged our FIN (RFC 9293 §3.10.7.4, fifth check).
func (m *Machine) finAcked() {
	switch m.state {
	case FinWait1:
		m.state = FinWait2
		if m.in.deaf {
			m.closeAt = m.now + m.cfg.FinWait2
		}
	case Closing:
		m.enterTimeWait()
	case LastAck:
		m.finish(nil)
	}
}

// finReceived moves on after the peer's FIN has come in order (RFC 9293 §3.10.7.4, eighth check).
func (m *Machine) finReceived() {
	m.event(Event{Kind: EventFin})
	switch m.state {
	case SynReceived, Established:
		m.state = CloseWait
	case FinWait1:
		m.state = Closing
	case FinWait2:
		m.enterTimeWait()
	}
}

// enterTimeWait: "start the time-wait timer, turn off the other timers" (RFC 9293 §3.10.7.4).
func (m *Machine) enterTimeWait() {
	m.state = TimeWait
	m.stopTimers()
	m.closeAt = m.now + m.timeWait()
}

// timeWait is 2 MSL (RFC 9293 §3.4.2), or what the peer takes to send its FIN twice again, for the acknowledgement of it
// may be lost: an RTO, and one twice as long. Who sets a short MSL does not know the path's round trip.
func (m *Machine) timeWait() time.Duration { return max(2*m.cfg.MSL, 3*m.rto.base) }
