package tcp

import "hawser/transport/wire"

// spanState is where the sender thinks that a span is.
type spanState uint8

const (
	inFlight spanState = iota
	lost               // deemed lost and not sent again yet
	sacked             // the receiver has it, out of order
)

// A span is a run of our stream that left with one Emit, or a part of it: bytes, and the FIN as one more. Spans lie in
// two lists: all by sequence, and those in flight by the time they were last sent, which is RACK's order.
type span struct {
	start, end   int64
	prev, next   *span
	older, newer *span
	state        spanState
	resent       bool    // was sent more than once
	probe        bool    // of the path's MTU: its loss is no sign of congestion
	sentAt       instant // last
	mss          int     // payload of its packets when it was last sent
	options      int     // of each, bytes
	base         int64   // where the first of them began
	sample       sentSample
}

func (sp *span) len() int { return int(sp.end - sp.start) }

// packet is the size of its largest packet when it was last sent, without the IP and TCP headers.
func (sp *span) packet() int { return min(sp.len(), sp.mss) + sp.options }

// packetAt is where the packet of the span begins that off lies in, at the earliest the span itself.
func (sp *span) packetAt(off int64) int64 {
	mss := int64(sp.mss)
	return max(sp.start, sp.base+(off-sp.base)/mss*mss)
}

// maxSpans bounds the scoreboard: a peer that reports every other packet, or an application that writes byte by byte into a
// large window, would else cost more with each acknowledgement. No more is sent then until something is acknowledged, and
// what a selective acknowledgement says about a part of a span, which is advice, is not taken.
const maxSpans = 1 << 14

// scoreboard is what was sent and not cumulatively acknowledged, in bytes (RFC 6675 §3 without its loss estimate).
type scoreboard struct {
	all    span  // sentinel of the list by sequence
	flight span  // sentinel of the list by time
	low    *span // no span before it is lost
	free   *span
	count  int   // spans in the list
	pipe   int   // bytes in flight: RFC 6675's pipe
	sacked int   // bytes selectively acknowledged
	lost   int   // bytes to be sent again
	fack   int64 // end of the highest byte ever acknowledged in any way
	assume int   // without SACK: bytes that duplicate acknowledgements stand for (RFC 5681 §3.2)
}

func (b *scoreboard) init() {
	b.all.prev, b.all.next = &b.all, &b.all
	b.flight.older, b.flight.newer = &b.flight, &b.flight
	b.low = &b.all
}

func (b *scoreboard) empty() bool  { return b.all.next == &b.all }
func (b *scoreboard) first() *span { return b.all.next }
func (b *scoreboard) last() *span  { return b.all.prev }
func (b *scoreboard) end() *span   { return &b.all }

// inFlight is how many bytes are in the network, as far as is known.
func (b *scoreboard) inFlight() int { return max(0, b.pipe-b.assume) }

// take gives a span from the free list.
func (b *scoreboard) take() *span {
	sp := b.free
	if sp == nil {
		return &span{}
	}
	b.free = sp.next
	*sp = span{}
	return sp
}

// insert puts sp after at in the list by sequence.
func (b *scoreboard) insert(at, sp *span) {
	sp.prev, sp.next = at, at.next
	at.next.prev, at.next = sp, sp
	b.count++
}

// remove takes sp out of all lists and makes it free.
func (b *scoreboard) remove(sp *span) {
	b.account(sp, -1)
	b.ground(sp)
	if b.low == sp {
		b.low = sp.next
	}
	sp.prev.next, sp.next.prev = sp.next, sp.prev
	sp.prev, sp.next = nil, b.free
	b.free = sp
	b.count--
}

// clear forgets everything.
func (b *scoreboard) clear() {
	for !b.empty() {
		b.remove(b.first())
	}
	b.assume = 0
}

// account adds sp to the sums of its state, or takes it out.
func (b *scoreboard) account(sp *span, sign int) {
	n := sign * sp.len()
	switch sp.state {
	case inFlight:
		b.pipe += n
		b.assume = min(b.assume, b.pipe)
	case lost:
		b.lost += n
	case sacked:
		b.sacked += n
	}
}

// set moves sp to a state.
func (b *scoreboard) set(sp *span, s spanState) {
	b.account(sp, -1)
	sp.state = s
	b.account(sp, 1)
	if s != inFlight {
		b.ground(sp)
	}
	if s == lost && (b.low == &b.all || sp.start < b.low.start) {
		b.low = sp
	}
}

// launch puts sp at the end of the list by time: it has just been sent.
func (b *scoreboard) launch(sp *span) {
	b.ground(sp)
	sp.older, sp.newer = b.flight.older, &b.flight
	b.flight.older.newer, b.flight.older = sp, sp
}

// relaunch puts sp where its time belongs: it is in flight after all. near is a span in flight that is likely to be next to
// it; nil: none is known.
func (b *scoreboard) relaunch(sp, near *span) {
	b.ground(sp)
	at := b.flight.older
	if near != nil && sentAfter(near.sentAt, near.end, sp.sentAt, sp.end) {
		at = near
	}
	for at != &b.flight && sentAfter(at.sentAt, at.end, sp.sentAt, sp.end) {
		at = at.older
	}
	sp.older, sp.newer = at, at.newer
	at.newer.older, at.newer = sp, sp
}

// ground takes sp out of the list by time.
func (b *scoreboard) ground(sp *span) {
	if sp.newer != nil {
		sp.older.newer, sp.newer.older = sp.newer, sp.older
		sp.older, sp.newer = nil, nil
	}
}

// split cuts sp at off, which lies inside it, and returns the second part. Both were sent at the same time.
func (b *scoreboard) split(sp *span, off int64) *span {
	tail := b.take()
	prev := tail.prev
	*tail = *sp
	tail.prev, tail.older, tail.newer = prev, nil, nil
	tail.start, sp.end = off, off
	b.insert(sp, tail)
	if sp.newer != nil {
		tail.older, tail.newer = sp, sp.newer
		sp.newer.older, sp.newer = tail, tail
	}
	return tail
}

// lostRun is where the lost spans end that one packet of n bytes has room for, from sp on: at least the end of sp. What an
// application wrote byte by byte is repaired in full packets.
func (b *scoreboard) lostRun(sp *span, n int) int64 {
	end := sp.end
	for next := sp.next; next != &b.all && next.state == lost && next.end-sp.start <= int64(n); next = next.next {
		end = next.end
	}
	return end
}

// join makes sp, which is lost, reach to end at least, over lost spans behind it.
func (b *scoreboard) join(sp *span, end int64) {
	for sp.end < end {
		n := sp.next
		if n.end > end {
			b.split(n, end)
		}
		to := n.end
		b.remove(n)
		b.lost += int(to - sp.end)
		sp.end = to
	}
}

// mergeSacked joins sp with the sacked spans beside it: nothing about them matters but that they are there.
func (b *scoreboard) mergeSacked(sp *span) {
	for n := sp.next; n != &b.all && n.state == sacked; n = sp.next {
		end := n.end
		b.remove(n)
		b.sacked += int(end - sp.end)
		sp.end = end
	}
	for p := sp.prev; p != &b.all && p.state == sacked; p = sp.prev {
		start := p.start
		b.remove(p)
		b.sacked += int(sp.start - start)
		sp.start, sp.base = start, start
	}
}

// firstLost is the span to be sent again next; nil: none.
func (b *scoreboard) firstLost() *span {
	if b.lost == 0 {
		return nil
	}
	for b.low.state != lost {
		b.low = b.low.next
	}
	return b.low
}

// sent notes that [start, end) has left for the first time.
func (m *Machine) sent(start, end int64, mss, options int) *span {
	b := &m.board
	sp := b.take()
	sp.start, sp.end, sp.sentAt, sp.mss, sp.options, sp.base = start, end, m.now, mss, options, start
	b.insert(b.last(), sp)
	b.account(sp, 1)
	b.launch(sp)
	m.stamp(sp)
	return sp
}

// sentAgain notes that sp has left once more.
func (m *Machine) sentAgain(sp *span, mss, options int) {
	b := &m.board
	b.set(sp, inFlight)
	sp.resent, sp.sentAt, sp.mss, sp.options, sp.base, sp.probe = true, m.now, mss, options, sp.start, false
	b.launch(sp)
	m.stamp(sp)
	m.stats.Retransmitted += int64(sp.len())
	m.stats.Retransmissions += int64(max(1, (sp.len()+mss-1)/max(mss, 1)))
}

// stamp notes for the congestion control that sp has just left.
func (m *Machine) stamp(sp *span) {
	m.rateSent(sp)
	if m.control != nil {
		m.control.OnSend(m.wall, sp.len(), m.board.inFlight())
	}
}

// blockOffsets turns a SACK block into offsets; false when it says nothing about what is outstanding or is nonsense.
func (m *Machine) blockOffsets(b wire.SACKBlock) (start, end int64, ok bool) {
	start, end = m.sendOff(b.Start), m.sendOff(b.End)
	return start, end, start < end && end <= m.nxt && start >= 1
}
