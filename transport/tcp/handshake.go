package tcp

import (
	"time"

	"hawser/cc"
	"hawser/transport/wire"
)

// handshake sends SYN or SYN-ACK until it is answered.
type handshake struct {
	at       instant // of the next transmission
	due      bool
	tries    int     // transmissions so far
	since    instant // of the first
	sentAt   instant // of the latest
	stamp    uint32  // TSval of the latest
	failedBy error   // a soft ICMP error meanwhile
}

// noMSSv4 and noMSSv6 are what a peer takes that sends no MSS option (RFC 9293 §3.7.1, MUST-15).
const (
	noMSSv4 = 536
	noMSSv6 = 1220
)

func (m *Machine) beginHandshake() {
	m.syn = handshake{due: true, since: m.now}
	m.peer.ownScale = scaleFor(m.cfg.MaxReceiveBuffer)
	m.ecn.offer = m.cfg.ECN
}

// advanceHandshake repeats the SYN, with back-off (RFC 6298 §5.5), or gives up.
func (m *Machine) advanceHandshake() {
	if m.state != SynSent && m.state != SynReceived || m.syn.at == 0 || m.now < m.syn.at {
		return
	}
	if m.now-m.syn.since >= m.cfg.SYNTimeout {
		err := ErrTimeout
		if m.syn.failedBy != nil {
			err = m.syn.failedBy
		}
		m.finish(err)
		return
	}
	m.syn.due = true
	// "If this is a retransmission of a SYN … the host that sent an ECN-setup SYN SHOULD … send a non-ECN-setup SYN"
	// (RFC 3168 §6.1.1.1): something in the path may drop those bits.
	m.ecn.offer = false
}

// emitSYN sends SYN or SYN-ACK when it is due.
func (m *Machine) emitSYN(s *wire.Segment) bool {
	if !m.syn.due || m.state != SynSent && m.state != SynReceived {
		return false
	}
	m.syn.due = false
	m.syn.at = m.now + min(initialRTO<<min(m.syn.tries, 6), maxRTO)
	m.syn.at = min(m.syn.at, max(m.syn.since+m.cfg.SYNTimeout, m.now+time.Millisecond))
	m.syn.tries++
	m.syn.sentAt = m.now
	m.nxt = max(m.nxt, 1)
	s.Flags, s.Seq = wire.SYN, m.iss
	if m.state == SynReceived {
		s.Flags |= wire.ACK
	}
	m.synOptions(s)
	m.address(s)
	if m.cfg.Extension != nil {
		m.extend(s, nil)
	}
	return true
}

// synOptions sets window and options of SYN and SYN-ACK: in a SYN-ACK only what the SYN had (RFC 7323 §2.2, §3.2).
func (m *Machine) synOptions(s *wire.Segment) {
	answer := m.state == SynReceived
	s.Window = uint16(min(m.buf.size, 0xffff)) // "The window field in a segment where the SYN bit is set … MUST NOT be scaled" (RFC 7323 §2.2)
	m.buf.edge = max(m.buf.edge, m.in.nxt+int64(s.Window))
	s.Options.MSS = uint16(m.mtu.advertised)
	s.Options.SACKPermitted = !m.cfg.NoSACK && (!answer || m.peer.sack)
	if !m.cfg.NoWindowScale && (!answer || m.peer.scaled) {
		s.Options.HasWindowScale, s.Options.WindowScale = true, m.peer.ownScale
	}
	if !m.cfg.NoTimestamps && (!answer || m.peer.stamped) {
		s.Options.HasTimestamps, s.Options.TSVal, s.Options.TSEcr = true, m.tsNow(), 0
		if answer {
			s.Options.TSEcr = m.ts.recent
		}
		m.syn.stamp = s.Options.TSVal
	}
	switch {
	case !answer && m.ecn.offer:
		s.Flags |= wire.ECE | wire.CWR // an ECN-setup SYN (RFC 3168 §6.1.1)
	case answer && m.peer.ecn:
		s.Flags |= wire.ECE
	}
	if answer {
		s.Ack, m.ts.lastAck = m.recvSeq(m.in.nxt), m.in.nxt
	}
}

// receiveSynSent is RFC 9293 §3.10.7.3, check by check.
func (m *Machine) receiveSynSent(s *wire.Segment) error {
	acks := s.Flags.Has(wire.ACK)
	if acks && (m.syn.tries == 0 || s.Ack != m.iss.Add(1)) { // first: nothing but the SYN was sent
		if !s.Flags.Has(wire.RST) {
			m.reset(&resetSegment{seq: s.Ack})
		}
		return errUnsound
	}
	if s.Flags.Has(wire.RST) { // second; without an acceptable ACK it may come from anywhere
		if acks {
			m.finish(ErrRefused)
		}
		return ErrRefused
	}
	if !s.Flags.Has(wire.SYN) { // fifth
		return errUnsound
	}
	m.agree(s)
	m.irs, m.in.nxt = s.Seq, 1
	m.in.ready.start = 1
	m.options(s, 0)
	if !acks { // simultaneous open (RFC 9293 §3.5, figure 7)
		m.state = SynReceived
		m.syn.due, m.syn.tries = true, 0
		m.window.begin(1, int64(s.Window))
		return m.receiveText(s)
	}
	m.window.begin(1, int64(s.Window))
	m.establish(s)
	m.ack.owe()
	return m.receiveText(s)
}

// agree takes the peer's SYN options over.
func (m *Machine) agree(s *wire.Segment) {
	o, p := &s.Options, &m.peer
	p.mss = int(o.MSS)
	if o.MSS == 0 {
		p.defaulted = true
		p.mss = noMSSv4
		if !m.cfg.Remote.Addr().Is4() {
			p.mss = noMSSv6
		}
	}
	p.mss = max(p.mss, minMSS)
	p.sack = o.SACKPermitted && !m.cfg.NoSACK
	if p.scaled = o.HasWindowScale && !m.cfg.NoWindowScale; p.scaled {
		p.scale = min(o.WindowScale, maxScale)
	} else {
		p.ownScale = 0
	}
	if p.stamped = o.HasTimestamps && !m.cfg.NoTimestamps; p.stamped {
		m.ts.recent, m.ts.recentAt = o.TSVal, m.now
	}
	if s.Flags.Has(wire.ACK) {
		p.ecn = m.cfg.ECN && m.ecn.offer && s.Flags&(wire.ECE|wire.CWR) == wire.ECE
	} else {
		p.ecn = s.Flags.Has(wire.ECE | wire.CWR)
	}
}

// establish completes the handshake on the segment that acknowledges our SYN.
func (m *Machine) establish(s *wire.Segment) {
	m.state = Established
	m.una = 1
	m.syn.at, m.syn.due = 0, false
	m.mtu.agree(m)
	m.control = m.cfg.Control(cc.Config{MSS: m.mtu.mss})
	m.rate.begin(m.now)
	m.keep.heard = m.now
	m.ack.begin(m)
	m.buf.begin(m)
	switch rtt := m.echoRTT(s); {
	case m.syn.tries == 1 && m.syn.sentAt != 0:
		m.sample(max(m.now-m.syn.sentAt, 1))
	case rtt != 0:
		m.sample(rtt)
	case m.syn.tries > 1:
		// "If the timer expires awaiting the ACK of a SYN segment and the TCP implementation is using an RTO less than 3
		// seconds, the RTO MUST be re-initialized to 3 seconds when data transmission begins" (RFC 6298 §5.7).
		m.rto.base = 3 * time.Second
	}
	m.event(Event{Kind: EventEstablished})
}
