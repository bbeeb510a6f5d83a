package tcp

import (
	"time"

	"hawser/transport/wire"
)

// Emit fills s with the next segment that is due; false: there is none now. The owner calls it until then. Payload is
// referenced: it stays as it is until the next Receive, Advance or Append.
func (m *Machine) Emit(now time.Time, s *wire.Segment) bool {
	m.clock(now)
	m.pace.wakeAt = 0
	s.Reset()
	ok := m.emitReset(s)
	if !ok && m.state != Closed {
		ok = m.emitSYN(s) || m.state > SynReceived && m.emitSynchronized(s)
	}
	if ok {
		s.Control = s.Control || s.Flags.Has(wire.SYN) || s.Flags.Has(wire.RST)
		m.stats.Sent++
		m.stats.Packets += int64(max(1, (s.Len+max(s.MSS, 1)-1)/max(s.MSS, 1)))
		m.stats.SentBytes += int64(s.Len)
	}
	return ok
}

// emitSynchronized is the order of precedence after the handshake.
func (m *Machine) emitSynchronized(s *wire.Segment) bool {
	return m.emitReport(s) || m.emitAgain(s) || m.emitNew(s) || m.emitTailProbe(s) || m.emitKeepAlive(s) || m.emitAck(s)
}

// address sets where s comes from, where it goes to, and whether in pieces.
func (m *Machine) address(s *wire.Segment) {
	s.Src, s.Dst, s.Fragment = m.cfg.Local, m.cfg.Remote, m.mtu.fragment
}

// header fills in everything but the payload of a segment at off of our stream, and notes the acknowledgement in it as
// sent.
func (m *Machine) header(s *wire.Segment, off int64, flags wire.Flags, mapping *wire.Mapping) {
	m.address(s)
	s.Flags, s.Seq = wire.ACK|flags, m.sendSeq(off)
	s.Ack, s.Window = m.recvSeq(m.in.nxt), m.windowField()
	if m.peer.ecn && m.ecn.echo {
		s.Flags |= wire.ECE
	}
	if m.peer.stamped { // "Once TSopt has been successfully negotiated … the TSopt MUST be sent in every non-<RST> segment" (RFC 7323 §3.2)
		s.Options.HasTimestamps, s.Options.TSVal, s.Options.TSEcr = true, m.tsNow(), m.ts.recent
	}
	if m.cfg.Extension != nil {
		m.extend(s, mapping)
	}
	m.addSACK(&s.Options)
	m.buf.advertised()
	m.acknowledged(s)
}

// extend adds the options of kind 30.
func (m *Machine) extend(s *wire.Segment, mapping *wire.Mapping) {
	var b [wire.MaxTCPOptions]byte
	room := wire.MaxTCPOptions - s.Options.Len()
	opts := m.cfg.Extension.Options(b[:0], s, mapping, room)
	if len(opts) > room {
		panic("BUG: tcp: an Extension has used more room than there is")
	}
	s.Options.SetMPTCP(opts)
}

// fill adds the header and at most n bytes from off on, in whole packets unless the last of them ends what is to be
// sent, and returns how many bytes it has taken.
func (m *Machine) fill(s *wire.Segment, off int64, n int, to int64) int {
	q := &m.queue
	flags := wire.Flags(0)
	n = q.gather(off, int(q.bound(off, off+int64(n))-off))
	var mapping *wire.Mapping
	if n > 0 {
		mapping = q.mapping(off)
		to = q.bound(off, min(to, off+int64(n)+1))
	}
	m.header(s, off, flags, mapping)
	s.MSS = max(m.mtu.packet-s.Options.Len(), 1)
	if n > s.MSS && off+int64(n) < to {
		n -= n % s.MSS
	}
	s.Data, s.Len = q.slices(s.Data, off, n), n
	if n > 0 && off+int64(n) == q.end {
		s.Flags |= wire.PSH // RFC 9293 §3.9.1.2, MUST-61
	}
	return n
}

// emitReport sends an acknowledgement alone when one is owed at once that has more to say than the options of a data
// segment have room for.
func (m *Machine) emitReport(s *wire.Segment) bool {
	if !m.ack.now || !m.peer.sack || m.ack.n == 0 && !m.ack.hasDup || m.mtu.reserve+12 <= wire.MaxTCPOptions {
		return false
	}
	return m.emitAck(s)
}

// emitAck sends an acknowledgement alone.
func (m *Machine) emitAck(s *wire.Segment) bool {
	if !m.ack.now {
		return false
	}
	m.header(s, m.nxt, 0, nil)
	return true
}

// emitAgain sends the first lost span again, or a part of it, or with it those behind it that fit into its packet: inside
// one mapping, and as much as the window of the congestion control and pacing allow. The one that a timeout or the begin of
// recovery asks for leaves in any case.
func (m *Machine) emitAgain(s *wire.Segment) bool {
	sp := m.board.firstLost()
	if sp == nil || m.control == nil {
		m.rto.due = false
		return false
	}
	run := m.board.lostRun(sp, m.mtu.mss)
	n := m.SuperSegment()
	if m.rto.due {
		n = m.mtu.mss
	} else {
		room := m.cwnd() - m.board.inFlight()
		if room < min(int(run-sp.start), m.mtu.mss) {
			m.rate.windowLimited = true
			return false
		}
		if m.control.Rate() > 0 && !m.pace.allows(m.now) {
			return false
		}
		n = min(n, max(room, m.mtu.mss))
	}
	end := min(run, m.queue.end)
	n = m.fill(s, sp.start, int(min(int64(n), end-sp.start)), end)
	if got := sp.start + int64(n); got < end {
		m.board.join(sp, got)
	} else {
		m.board.join(sp, run) // the FIN, too
	}
	m.resend(s, sp, n)
	s.Control = m.rto.due && m.rec.phase == loss
	m.rto.due = false
	return true
}

// resend notes that n bytes of sp leave again with s, and the FIN if sp ends with it.
func (m *Machine) resend(s *wire.Segment, sp *span, n int) {
	end := sp.start + int64(n)
	if sp.end > m.queue.end && end == m.queue.end {
		s.Flags |= wire.FIN
		end++
	}
	if end < sp.end {
		m.board.split(sp, end)
	}
	m.sentAgain(sp, s.MSS, s.Options.Len())
	m.noteResent(sp.start, sp.len(), s.Options.TSVal)
	m.markData(s, false)
	m.charge(n)
	if m.rec.phase == fast {
		m.rec.out += n
	}
	if m.rto.at == 0 {
		m.rto.at = m.now + m.rto.current()
	}
}

// charge lets the pacer know of n bytes.
func (m *Machine) charge(n int) { m.pace.sent(m.now, n, m.control.Rate()) }

// emitNew sends what was not sent before, and the FIN after the last of it.
func (m *Machine) emitNew(s *wire.Segment) bool {
	if !m.state.sends() || m.control == nil {
		return false
	}
	avail := int(m.queue.end - m.nxt)
	n := 0
	if avail > 0 {
		if m.board.count >= maxSpans {
			return false
		}
		if n = m.sendable(avail); n <= 0 {
			return false
		}
	} else if !m.fin {
		if m.board.inFlight() < m.cwnd() {
			m.appLimited()
		}
		return false
	}
	probe := m.probeSize()
	off := m.nxt
	m.wake()
	if probe > 0 {
		n = m.fillProbe(s, off, probe)
	} else {
		n = m.fill(s, off, n, m.queue.end)
	}
	m.depart(s, off, n)
	if m.mtu.inFlight && probe > 0 {
		m.board.last().probe = true
	}
	return true
}

// fillProbe makes one packet of n bytes, larger than what the path is known to take (RFC 4821 §7.1).
func (m *Machine) fillProbe(s *wire.Segment, off int64, n int) int {
	usual := m.mtu.packet
	m.mtu.packet = m.mtu.probing
	got := m.fill(s, off, n, off+int64(n))
	m.mtu.packet = usual
	if m.mtu.inFlight = got == n; !m.mtu.inFlight {
		s.MSS = max(usual-s.Options.Len(), 1) // it has come to the end of a mapping or to the most pieces: no probe
		return got
	}
	s.MSS, s.Fragment = n, false // in pieces it would tell nothing
	return got
}

// depart notes that n new bytes leave with s.
func (m *Machine) depart(s *wire.Segment, off int64, n int) {
	end := off + int64(n)
	if m.fin && end == m.queue.end {
		s.Flags |= wire.FIN
		end++
	}
	m.markData(s, true)
	m.nxt = end
	m.sent(off, end, s.MSS, s.Options.Len())
	m.charge(n)
	if m.rec.phase == fast {
		m.rec.out += n
	}
	m.frto.room = max(0, m.frto.room-n)
	m.hold.force = false
	switch {
	case m.tlp.due:
		m.probeSent(end, false)
	case m.hold.due:
		m.hold.due = false
		m.rto.at = m.now + m.rto.current()
	default:
		if m.rto.at == 0 || m.board.first() == m.board.last() {
			m.rto.at = m.now + m.rto.current() // RFC 6298 §5.1
		}
		m.armProbe()
	}
	if s.Flags.Has(wire.FIN) {
		m.finSent()
	}
}

// sendable is how many new bytes may leave now: what peer's window, congestion window and pacing allow of avail bytes.
func (m *Machine) sendable(avail int) int {
	if m.hold.due {
		return 1 // RFC 9293 §3.8.6.1, MUST-35 and 36
	}
	n := int(min(int64(min(avail, m.SuperSegment())), m.window.edge-m.nxt))
	if n <= 0 || m.silly(n) {
		m.armPersist()
		return 0
	}
	if m.tlp.due {
		return min(n, m.mtu.mss)
	}
	flight := m.board.inFlight()
	room := m.cwnd() - flight
	if flight == 0 {
		room = max(room, m.mtu.mss)
	}
	if m.frto.step == 2 {
		room = m.frto.room
	}
	if n > room {
		m.rate.windowLimited = true
		n = room - max(0, room)%m.mtu.mss
	}
	if n <= 0 || m.control.Rate() > 0 && !m.pace.allows(m.now) {
		return 0
	}
	return n
}

// emitTailProbe sends the end of what was sent last once more, when there was nothing new to send (RFC 8985 §7.3).
func (m *Machine) emitTailProbe(s *wire.Segment) bool {
	if !m.tlp.due {
		return false
	}
	m.tlp.due = false
	sp := m.board.last()
	if m.board.empty() || sp.state != inFlight || m.control == nil {
		return false
	}
	if cut := sp.packetAt(min(sp.end, m.queue.end) - 1); cut > sp.start {
		sp = m.board.split(sp, cut)
	}
	if from := m.queue.bound(sp.start, sp.end); from < min(sp.end, m.queue.end) {
		sp = m.board.split(sp, from) // a mapping begins inside it
	}
	n := m.fill(s, sp.start, int(min(sp.end, m.queue.end)-sp.start), m.queue.end)
	m.resend(s, sp, n)
	m.probeSent(sp.end, true)
	return true
}
