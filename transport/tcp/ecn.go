package tcp

import "hawser/transport/wire"

// ecn is explicit congestion notification (RFC 3168 §6.1).
type ecn struct {
	offer   bool // our next SYN asks for it
	echo    bool // we have received CE and not CWR since: ECE on every acknowledgement
	echoed  bool // the acknowledgement in hand carries ECE
	reduced bool // the window was reduced: CWR on the next new data
	off     bool // marked packets do not arrive: send without
}

// receive takes the marks of an arriving segment: a receiver "sets the ECN-Echo flag … in the TCP header of all ACK
// packets it sends … until it receives a CWR packet" (§6.1.3).
func (e *ecn) receive(s *wire.Segment) {
	if s.Flags.Has(wire.CWR) && s.Len > 0 {
		e.echo = false
	}
	if s.ECN == wire.CE {
		e.echo = true
	}
}

// markData prepares a data segment: new data is ECN-capable, and the first after a reduction says so. A retransmission is
// not ECN-capable (§6.1.5).
func (m *Machine) markData(s *wire.Segment, fresh bool) {
	if !m.peer.ecn || !fresh {
		return
	}
	if !m.ecn.off {
		s.ECN = wire.ECT0
	}
	if m.ecn.reduced {
		s.Flags |= wire.CWR
		m.ecn.reduced = false
	}
}

// fallBackECN gives marks up when nothing marked gets through: after the second timeout in a row, something in the path
// may drop them.
func (m *Machine) fallBackECN() {
	if m.rto.backoff >= 2 {
		m.ecn.off = true
	}
}
