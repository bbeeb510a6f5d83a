package tcp

import (
	"time"

	"hawser/transport/wire"
)

// minTooBig is the least MTU that a router is believed (RFC 5927 §7: forged ones try to make packets tiny).
const minTooBig = 552

// Unreachable takes an ICMP error about a segment of this connection in. It returns what it was taken for: nil when it
// was ignored, because its sequence number is none of what is in flight (RFC 5927 §4.1) or it says nothing new.
//
// Errors never end a connection whose handshake is complete: "hard" ones are treated as soft (RFC 5927 §6.2). A
// connection that is being opened ends at a hard one (RFC 9293 §3.9.2.2, MUST-56, SHLD-26).
func (m *Machine) Unreachable(now time.Time, e *wire.ICMPError) error {
	m.clock(now)
	off := m.sendOff(e.Seq)
	if m.state == Closed || off < m.una || off >= max(m.nxt, 1) {
		return nil
	}
	m.stats.Unreachable++
	switch {
	case e.Kind == wire.ICMPTooBig:
		return m.tooBig(e)
	case m.state == SynSent && e.Kind == wire.ICMPHard:
		m.finish(ErrRefused)
		return ErrRefused
	case m.state == SynSent && e.Kind == wire.ICMPProhibited:
		m.finish(ErrUnreachable)
	}
	m.syn.failedBy = ErrUnreachable
	return ErrUnreachable
}

// tooBig lowers the packet size and sends what was too big again, without any sign of congestion.
func (m *Machine) tooBig(e *wire.ICMPError) error {
	head := wire.IPHeaderLen(m.cfg.Remote.Addr()) + wire.TCPHeaderLen
	packet := e.MTU - head
	switch {
	case e.MTU == 0:
		packet = m.mtu.below(m.mtu.packet) // a router from before RFC 1191
	case e.MTU < minTooBig && m.cfg.MTU > minTooBig:
		packet = minTooBig - head
	}
	packet = max(packet, min(m.mtu.floor, m.mtu.packet))
	if packet >= m.mtu.packet {
		return nil
	}
	m.lower(packet)
	for sp := m.board.first(); sp != m.board.end(); sp = sp.next {
		if sp.state == inFlight && sp.mss > m.mtu.mss && sp.len() > m.mtu.mss {
			m.board.set(sp, lost)
		}
	}
	m.rto.due = m.board.lost > 0
	return errTooBig
}
