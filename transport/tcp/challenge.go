package tcp

import (
	"time"

	"hawser/transport/wire"
)

// challenges limits the answers that segments from outside can cause: "an implementation … MUST include an ACK
// throttling mechanism … An administrator could configure … for example, 10 challenge ACKs in any 5 second window"
// (RFC 5961 §7).
type challenges struct {
	since instant
	n     int
}

const (
	challengeLimit  = 10
	challengePeriod = 5 * time.Second
)

// allow takes one answer from the allowance of the period.
func (c *challenges) allow(now instant) bool {
	if c.since == 0 || now-c.since >= challengePeriod {
		c.since, c.n = now, 0
	}
	if c.n >= challengeLimit {
		return false
	}
	c.n++
	return true
}

// challengeAck answers a segment that may be forged: a peer that has really sent it will answer with something that
// nobody else can know.
func (m *Machine) challengeAck() {
	m.stats.Challenges++
	if m.challenge.allow(m.now) {
		m.ack.owe()
	}
}

// resetSegment is a RST that is to be sent.
type resetSegment struct {
	seq, ack wire.Seq
	hasAck   bool
}

// reset queues a RST that answers a segment; one at a time is enough.
func (m *Machine) reset(r *resetSegment) {
	if m.resetAt == nil && m.challenge.allow(m.now) {
		m.resetAt = r
	}
}

// emitReset sends it, also from a connection that has just ended.
func (m *Machine) emitReset(s *wire.Segment) bool {
	r := m.resetAt
	if r == nil {
		return false
	}
	m.resetAt = nil
	s.Flags, s.Seq = wire.RST, r.seq
	if r.hasAck {
		s.Flags, s.Ack = wire.RST|wire.ACK, r.ack
	}
	if m.peer.stamped { // "TSopt SHOULD be sent in a <RST>" (RFC 7323 §3.2)
		s.Options.HasTimestamps, s.Options.TSVal, s.Options.TSEcr = true, m.tsNow(), m.ts.recent
	}
	m.address(s)
	if m.cfg.Extension != nil {
		m.extend(s, nil)
	}
	return true
}

// Reset makes of s the answer to a segment for which there is no connection (RFC 9293 §3.10.7.1); false when it must
// not be answered because it is a RST itself.
func Reset(s *wire.Segment) bool {
	if s.Flags.Has(wire.RST) {
		return false
	}
	r := wire.Segment{Src: s.Dst, Dst: s.Src, Data: s.Data[:0], Flags: wire.RST}
	if s.Flags.Has(wire.ACK) {
		r.Seq = s.Ack
	} else {
		r.Flags |= wire.ACK
		r.Ack = s.Seq.Add(s.SpaceLen())
	}
	*s = r
	return true
}
