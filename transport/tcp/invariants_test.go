package tcp

// invariants checks what must hold after every step.
func (w *world) invariants(h *host) {
	if !w.check || h.m == nil {
		return
	}
	m := h.m
	fail := func(format string, args ...any) {
		w.t.Helper()
		w.dump()
		w.t.Fatalf(h.name+": "+format, args...)
	}
	if m.state == Closed {
		if !m.board.empty() || len(m.queue.blocks) > 0 || len(m.in.pieces) > 0 {
			fail("a closed connection holds memory")
		}
		return
	}
	if m.una > m.nxt || m.nxt > m.queue.end+1 {
		fail("una %d, nxt %d, end %d", m.una, m.nxt, m.queue.end)
	}
	checkBoard(m, fail)
	w.checkReceive(m, fail)
}

func checkBoard(m *Machine, fail func(string, ...any)) {
	b := &m.board
	at, pipe, sack, gone, count, flying := max(m.una, 1), 0, 0, 0, 0, 0
	for sp := b.first(); sp != b.end(); sp = sp.next {
		if sp.start != at || sp.end <= sp.start || sp.next.prev != sp {
			fail("span [%d,%d) does not follow %d", sp.start, sp.end, at)
		}
		at = sp.end
		count++
		switch sp.state {
		case inFlight:
			pipe += sp.len()
			flying++
		case lost:
			gone += sp.len()
		case sacked:
			sack += sp.len()
		}
		if (sp.newer != nil) != (sp.state == inFlight) {
			fail("span [%d,%d) in state %d and the list by time disagree", sp.start, sp.end, sp.state)
		}
	}
	for sp := b.first(); sp != b.low; sp = sp.next {
		if sp == b.end() || sp.state == lost {
			fail("the lost span [%d,%d) is not found", sp.start, sp.end)
		}
	}
	if !b.empty() && at != m.nxt {
		fail("spans end at %d, nxt is %d", at, m.nxt)
	}
	if pipe != b.pipe || sack != b.sacked || gone != b.lost || count != b.count || b.assume > b.pipe {
		fail("sums: pipe %d/%d sacked %d/%d lost %d/%d count %d/%d assumed %d", b.pipe, pipe, b.sacked, sack, b.lost, gone, b.count, count, b.assume)
	}
	for sp := b.flight.newer; sp != &b.flight; sp = sp.newer {
		flying--
		if next := sp.newer; next != &b.flight && sp.sentAt > next.sentAt {
			fail("the list by time is not in order")
		}
	}
	if flying != 0 {
		fail("%d spans in flight are not in the list by time", flying)
	}
	if !b.empty() && m.control != nil && m.timer() == 0 && !m.rto.due && !m.tlp.due {
		fail("something is outstanding and no timer runs")
	}
}

func (w *world) checkReceive(m *Machine, fail func(string, ...any)) {
	q := &m.in
	unread, held, loose := 0, 0, 0
	for _, r := range q.ready.runs[q.ready.head:] {
		unread += len(r.B)
		held, loose = held+r.held, loose+waste(len(r.B), r.held)
	}
	for i := range q.pieces {
		p := &q.pieces[i]
		held, loose = held+p.held, loose+waste(len(p.b), p.held)
	}
	if held != q.held || loose != q.loose {
		fail("memory is %d, %d of it loose; runs and pieces have %d and %d", q.held, q.loose, held, loose)
	}
	most := max(m.buf.size, int(m.buf.edge-q.nxt)+q.unread)
	if !m.buf.shared {
		most = m.buf.size + 1<<m.peer.ownScale
		if unread > most {
			fail("%d bytes wait for the reader, the window is %d", unread, m.buf.size)
		}
	}
	if most := charge(most) + chunkLen + w.pin + bookkeeping; held > most {
		fail("%d bytes of memory for a window of %d", held, m.buf.size)
	}
	if unread != q.unread {
		fail("unread is %d, runs hold %d", q.unread, unread)
	}
	at := q.nxt
	for i := range q.pieces {
		p := &q.pieces[i]
		if p.start < at || len(p.b) == 0 || i == 0 && p.start <= q.nxt {
			fail("piece [%d,%d) after %d", p.start, p.end(), at)
		}
		at = p.end()
	}
	if at > max(m.buf.edge, q.nxt) {
		fail("received up to %d, allowed up to %d", at, m.buf.edge)
	}
	if over := q.nxt + int64(m.buf.size) - int64(q.unread) - m.buf.edge; !m.buf.shared && over < -(1<<m.peer.ownScale) && m.buf.edge > q.nxt {
		fail("the window is %d bytes larger than its memory", -over)
	}
}
