package tcp

import (
	"time"

	"hawser/transport/wire"
)

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

// tooBig lowers the packet size and sends what was too big again, without any sign of congestion. For a router that asks
// for less than the least (forged messages do: RFC 5927 §7), "the host may elect to end the discovery process by ceasing to
// set the DF bit in the datagram headers" (RFC 1191 §3), as all large systems do. With IPv6 there is no such router.
func (m *Machine) tooBig(e *wire.ICMPError) error {
	p := &m.mtu
	head := wire.IPHeaderLen(m.cfg.Remote.Addr()) + wire.TCPHeaderLen
	v4 := m.cfg.Remote.Addr().Is4()
	packet, least := e.MTU-head, min(p.floor, p.packet)
	switch {
	case e.MTU == 0: // a router from before RFC 1191
		packet = p.below(p.packet)
	case e.Local && v4:
		least = minMTU - head
	}
	pieces := v4 && !e.Local && !p.fragment && (packet < least || e.MTU == 0 && packet == p.packet)
	if packet = max(packet, least); packet >= p.packet && !pieces {
		return nil
	}
	m.lower(min(packet, p.packet))
	fits := p.mss
	if pieces {
		p.fragment = true
		fits = max(e.MTU-head-p.reserve, 0)
	}
	for sp := m.board.first(); sp != m.board.end(); sp = sp.next {
		if sp.state == inFlight && sp.packet() > fits+p.reserve {
			m.board.set(sp, lost)
		}
	}
	m.rto.due = m.board.lost > 0
	return errTooBig
}
