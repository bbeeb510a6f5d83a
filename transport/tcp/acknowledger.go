package tcp

import (
	"time"

	"hawser/transport/wire"
)

// quickAcks is how many segments are acknowledged at once at the start of a stream and after a pause: a sender in slow
// start waits for nothing else.
const quickAcks = 16

// acknowledger decides when an acknowledgement leaves (RFC 9293 §3.8.6.3, RFC 5681 §4.2) and what it says beyond its
// number (RFC 2018 §4, RFC 2883 §4).
type acknowledger struct {
	delay   time.Duration
	now     bool    // one is owed at once
	at      instant // a delayed one leaves then; 0: none
	bytes   int     // received since the last
	quick   int     // so many are still not delayed
	mss     int     // payload of a full segment of the peer, as far as seen
	lastAt  instant // when data last came
	repeats int     // repeated acknowledgements owed to a peer without SACK, which counts them

	dup    offsets // the latest duplicate, to be reported once
	hasDup bool
	blocks [wire.MaxSACK]offsets // runs out of order, the most recent first
	n      int
}

// offsets is [start, end) of a stream.
type offsets struct{ start, end int64 }

func (a *acknowledger) begin(m *Machine) {
	a.delay = min(m.cfg.AckDelay, 500*time.Millisecond)
	a.quick = quickAcks
	a.mss = max(m.mtu.mss, 1)
}

// owe makes the next Emit acknowledge.
func (a *acknowledger) owe() { a.now = true }

// duplicate notes bytes that had come before: "the first block of the SACK option should specify the sequence numbers
// of the segment that triggered the acknowledgement" (RFC 2883 §1).
func (a *acknowledger) duplicate(start, end int64) {
	if start < end {
		a.dup, a.hasDup = offsets{max(start, 1), end}, end > 1
	}
}

// inOrder counts n bytes that were received in order. "An ACK SHOULD be generated for at least every second full-sized
// segment" (RFC 9293 §3.8.6.3, MUST-58 and 59); a super-segment is several.
func (a *acknowledger) inOrder(m *Machine, n int, s *wire.Segment) {
	size := s.Len
	if s.MSS > 0 {
		size = min(size, s.MSS)
	}
	if a.lastAt != 0 && m.now-a.lastAt > m.rto.base {
		a.quick = max(a.quick, quickAcks/2)
	}
	a.lastAt = m.now
	a.mss = max(min(a.mss, m.mtu.top), min(size, m.mtu.top))
	a.bytes += n
	if a.bytes >= 2*a.mss || a.quick > 0 {
		a.quick = max(0, a.quick-1)
		a.now = true
		return
	}
	if a.at == 0 {
		a.at = m.now + a.delay
	}
}

// outOfOrder notes [start, end) beyond a gap: "A TCP receiver SHOULD send an immediate duplicate ACK when an
// out-of-order segment arrives" (RFC 5681 §4.2).
func (a *acknowledger) outOfOrder(m *Machine, start, end int64) {
	a.now = true
	if !m.peer.sack {
		a.repeats++
		return
	}
	if from, to, ok := m.in.around(min(max(start, m.in.nxt), end-1)); ok {
		a.report(offsets{from, to})
	}
}

// report puts a run first: "the first SACK block MUST specify the contiguous block of data containing the segment which
// triggered this ACK" (RFC 2018 §4). Blocks that it has grown over go.
func (a *acknowledger) report(o offsets) {
	kept := 0
	old := a.blocks
	for _, b := range old[:a.n] {
		if b.start > o.end || b.end < o.start {
			if kept < len(a.blocks)-1 {
				a.blocks[kept+1] = b
				kept++
			}
		}
	}
	a.blocks[0], a.n = o, kept+1
}

// forget drops blocks that the cumulative acknowledgement covers.
func (a *acknowledger) forget(nxt int64) {
	kept := 0
	for _, b := range a.blocks[:a.n] {
		if b.end > nxt {
			a.blocks[kept] = b
			kept++
		}
	}
	a.n = kept
}

// retract drops what lies beyond off: "all SACK blocks MUST NOT report any old data which is no longer actually held by
// the receiver" (RFC 2018 §8).
func (a *acknowledger) retract(off int64) {
	kept := 0
	for _, b := range a.blocks[:a.n] {
		if b.end = min(b.end, off); b.start < b.end {
			a.blocks[kept] = b
			kept++
		}
	}
	a.n = kept
}

// advance makes a delayed acknowledgement due.
func (a *acknowledger) advance(now instant) {
	if a.at != 0 && now >= a.at {
		a.at, a.now = 0, true
	}
}

// addSACK puts the blocks into o, as many as there is room for.
func (m *Machine) addSACK(o *wire.TCPOptions) {
	a := &m.ack
	if !m.peer.sack || a.n == 0 && !a.hasDup {
		return
	}
	a.forget(m.in.nxt)
	room := o.SACKRoom()
	if a.hasDup && room > 0 {
		o.AddSACK(m.sackBlock(a.dup))
		if outer, end, ok := m.in.around(a.dup.start); ok && room > 1 && a.dup.start >= m.in.nxt {
			a.report(offsets{outer, end}) // it has to follow at once (RFC 2883 §4.2)
		}
	}
	for i := 0; i < a.n && int(o.NumSACK) < room; i++ {
		o.AddSACK(m.sackBlock(a.blocks[i]))
	}
}

func (m *Machine) sackBlock(o offsets) wire.SACKBlock {
	return wire.SACKBlock{Start: m.recvSeq(o.start), End: m.recvSeq(o.end)}
}

// acknowledged notes that a segment with an acknowledgement has left.
func (m *Machine) acknowledged(s *wire.Segment) {
	a := &m.ack
	a.bytes, a.at = 0, 0
	if a.repeats > 0 {
		a.repeats--
	}
	a.now = a.repeats > 0
	if s.Options.NumSACK > 0 {
		a.hasDup = false
	}
	m.ts.lastAck = m.in.nxt
}
