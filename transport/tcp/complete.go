package tcp

import (
	"time"

	"hawser/transport/wire"
)

// receiveAck completes a handshake: with what is remembered of it, or with the cookie alone.
func (l *Listener) receiveAck(at time.Time, s *wire.Segment) error {
	h := l.find(s.Dst, s.Src)
	var from halfOpen
	switch {
	case h != nil && s.Ack == h.isn.Add(1):
		from = *h
	case h != nil:
		return errUnsound // of an earlier connection perhaps; the handshake in progress goes on
	default:
		isn, peerISN := s.Ack.Add(-1), s.Seq.Add(-1)
		mss, ok := l.cookies.check(s.Dst, s.Src, peerISN, isn, l.steady(at))
		if !ok {
			if l.halfUsed == len(l.half) {
				return errUnsound // it may be data that has overtaken the third segment of a handshake we did not remember
			}
			return l.refuse(at, s)
		}
		from = halfOpen{local: s.Dst, remote: s.Src, peerISN: peerISN, isn: isn, tries: 1}
		from.peer.mss = mss
		if from.peer.stamped = s.Options.HasTimestamps && !l.cfg.Conn.NoTimestamps; from.peer.stamped {
			stampOptions(s.Options.TSEcr, &from.peer)
		}
	}
	if len(l.ready) >= l.cfg.Backlog {
		l.stats.Overflow++
		return errUnsound
	}
	m, err := l.complete(&from, at, s)
	if err != nil {
		return err
	}
	l.forget(h)
	l.ready = append(l.ready, m)
	l.stats.Accepted++
	return nil
}

// complete makes the machine and gives it the segment.
func (l *Listener) complete(h *halfOpen, at time.Time, s *wire.Segment) (*Machine, error) {
	cfg := l.cfg.Conn
	cfg.Local, cfg.Remote = h.local, h.remote
	if l.cfg.Extension != nil {
		cfg.Extension = l.cfg.Extension(h.mptcp.MPTCP(), s)
	}
	m, err := newMachine(cfg, at)
	if err != nil {
		return nil, err
	}
	m.state = SynReceived
	m.iss, m.irs = h.isn, h.peerISN
	m.nxt, m.in.nxt, m.ts.lastAck = 1, 1, 1
	m.peer = h.peer
	if m.peer.scaled {
		m.peer.ownScale = l.ownScale()
	}
	if m.peer.stamped && s.Options.HasTimestamps {
		m.ts.recent, m.ts.recentAt = s.Options.TSVal, m.now
	}
	m.buf.edge = 1 + int64(min(m.buf.size, 0xffff))
	m.syn = handshake{since: m.now, tries: h.tries + 1}
	if h.tries == 0 && !h.sentAt.IsZero() {
		m.syn.sentAt = m.now - at.Sub(h.sentAt)
	}
	err = m.Receive(at, s)
	if m.state == SynReceived || m.state == Closed {
		m.in.dropReady()
		m.in.dropUnordered()
		m.buf.giveBack(&m.cfg)
		return nil, err
	}
	return m, nil
}
