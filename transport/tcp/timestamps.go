package tcp

import (
	"time"

	"hawser/transport/wire"
)

// timestamps is RFC 7323 §3 to §5. Its clock ticks in milliseconds.
type timestamps struct {
	offset   uint32
	recent   uint32  // TS.Recent
	recentAt instant // when it was set; 0: never
	lastAck  int64   // Last.ACK.sent, as an offset of the peer's stream
}

// recentLife is how long TS.Recent counts: "24 days" (RFC 7323 §5.5).
const recentLife = 24 * 24 * time.Hour

// steady is now by a clock that was set at begin and never since: both carry the reading of the monotonic clock (package
// time), so a step of the wall clock does not move it. Timestamps that went back would be old duplicates for the peer. That
// it was set by the wall clock lets the timestamps of a pair of addresses go on when the program begins anew.
func steady(begin, now time.Time) time.Time { return begin.Add(now.Sub(begin)) }

// tsNow is the clock of our timestamps, and tsAt what it said at an earlier time.
func (m *Machine) tsNow() uint32 { return m.tsAt(m.now) }

func (m *Machine) tsAt(i instant) uint32 { return m.ts.at(steady(m.cfg.Clock, m.epoch.Add(i))) }

func (t *timestamps) at(now time.Time) uint32 { return uint32(now.UnixMilli()) + t.offset }

// tsBefore compares timestamps modulo 2³² (RFC 7323 §5.2).
func tsBefore(a, b uint32) bool { return int32(a-b) < 0 }

// paws tells whether s is an old duplicate by its timestamp: "If there is a Timestamps option in the arriving segment,
// SEG.TSval < TS.Recent, TS.Recent is valid …, and if the RST bit is not set, then treat the arriving segment as not
// acceptable" (RFC 7323 §5.3, R1).
func (m *Machine) paws(s *wire.Segment) bool {
	return s.Options.HasTimestamps && !s.Flags.Has(wire.RST) && m.ts.recentAt != 0 &&
		tsBefore(s.Options.TSVal, m.ts.recent) && m.now-m.ts.recentAt < recentLife
}

// remember takes SEG.TSval over if the segment spans Last.ACK.sent: "If SEG.TSval >= TS.Recent and SEG.SEQ <=
// Last.ACK.sent, then SEG.TSval is copied to TS.Recent" (RFC 7323 §4.3).
func (m *Machine) remember(s *wire.Segment, off int64) {
	if !s.Options.HasTimestamps || off > m.ts.lastAck || m.ts.recentAt != 0 && tsBefore(s.Options.TSVal, m.ts.recent) {
		return
	}
	m.ts.recent, m.ts.recentAt = s.Options.TSVal, m.now
}

// echoRTT is the round trip that a timestamp echo shows, to the millisecond; 0: none. "RTTM Rule: A TSecr value
// received in a segment MAY be used to update the averaged RTT measurement only if the segment advances the left edge
// of the send window" (RFC 7323 §4.1).
func (m *Machine) echoRTT(s *wire.Segment) time.Duration {
	if !m.peer.stamped || !s.Options.HasTimestamps || s.Options.TSEcr == 0 {
		return 0
	}
	d := int32(m.tsNow() - s.Options.TSEcr)
	if d < 0 || d > 1<<22 { // over an hour: an echo of something we never sent
		return 0
	}
	return max(time.Duration(d)*time.Millisecond, time.Millisecond)
}
