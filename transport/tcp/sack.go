package tcp

import "hawser/transport/wire"

// readSACK takes the blocks of an acknowledgement into the scoreboard (RFC 2018 §5). ack is its cumulative part.
func (m *Machine) readSACK(s *wire.Segment, ack int64) {
	o := &s.Options
	if !m.peer.sack || o.NumSACK == 0 {
		return
	}
	blocks := o.SACK[:o.NumSACK]
	if m.readDSACK(blocks, ack) {
		blocks = blocks[1:]
	}
	// In ascending order, so that spans which one acknowledgement reports do not look reordered (RFC 8985 §6.2, step 3).
	var sorted [wire.MaxSACK]offsets
	n := 0
	for _, block := range blocks {
		start, end, ok := m.blockOffsets(block)
		if !ok || end <= m.una {
			continue
		}
		i := n
		for ; i > 0 && sorted[i-1].start > start; i-- {
			sorted[i] = sorted[i-1]
		}
		sorted[i] = offsets{max(start, m.una), end}
		n++
	}
	m.seen.sackSeen = n > 0
	for _, o := range sorted[:n] {
		m.sackRange(o.start, o.end)
	}
}

// readDSACK tells whether the first block reports a duplicate: it lies below the cumulative acknowledgement, or inside
// the second block (RFC 2883 §4, §5).
func (m *Machine) readDSACK(blocks []wire.SACKBlock, ack int64) bool {
	start, end := m.sendOff(blocks[0].Start), m.sendOff(blocks[0].End)
	if start >= end || start < 1 || end > m.nxt {
		return false
	}
	is := end <= ack
	if !is && len(blocks) > 1 {
		outerStart, outerEnd, ok := m.blockOffsets(blocks[1])
		is = ok && start >= outerStart && end <= outerEnd
	}
	if is {
		d := &m.seen
		d.dsack, d.dsackEnd, d.dsackLen = true, end, int(end-start)
		m.stats.DSACKs++
	}
	return is
}

// sackRange marks the packets that lie in [start, end) as received. Parts of packets, which may be what something on the
// path has made of them, count when all of it is there: blocks at any byte would cut the scoreboard into bytes, and so what
// is sent again.
func (m *Machine) sackRange(start, end int64) {
	b := &m.board
	for sp := m.seek(start); sp != b.end() && sp.start < end; sp = sp.next {
		if sp.state == sacked || sp.end <= start {
			continue
		}
		from, to := m.packetsIn(sp, start, end)
		if from >= to || b.count+2 > maxSpans && (from > sp.start || to < sp.end) {
			continue
		}
		if sp.start < from {
			sp = b.split(sp, from)
		}
		if sp.end > to {
			b.split(sp, to)
		}
		m.delivered(sp, false)
		b.set(sp, sacked)
		b.mergeSacked(sp)
		b.fack = max(b.fack, sp.end)
	}
}

// packetsIn is the part of sp that consists of whole packets inside [start, end). A FIN that was sent with the last of them
// may be reported or not.
func (m *Machine) packetsIn(sp *span, start, end int64) (from, to int64) {
	if from = sp.start; start > from {
		from = min(sp.packetAt(start+int64(sp.mss)-1), sp.end)
	}
	if to = min(end, sp.end); to < sp.end && to != m.queue.end {
		to = sp.packetAt(to)
	}
	return from, to
}

// seek is the first span that may reach beyond off. New blocks lie near the end more often than near the beginning.
func (m *Machine) seek(off int64) *span {
	b := &m.board
	if off-m.una > m.nxt-off {
		sp := b.last()
		for sp != b.end() && sp.start > off {
			sp = sp.prev
		}
		if sp != b.end() {
			return sp
		}
	}
	return b.first()
}

// renege takes all selective acknowledgements back: "the data receiver is permitted to discard data in its queue that
// has not been acknowledged" (RFC 2018 §8), and it has, for it acknowledges less than it had.
func (m *Machine) renege() {
	b := &m.board
	for sp := b.first(); sp != b.end(); sp = sp.next {
		if sp.state == sacked {
			b.set(sp, lost)
		}
	}
}

// reneged tells whether the cumulative acknowledgement stopped right before something that was said to be there.
func (m *Machine) reneged() bool {
	sp := m.board.first()
	return sp != m.board.end() && sp.state == sacked && sp.start == m.una
}
