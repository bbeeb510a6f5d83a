package mptcp

import (
	"fmt"
	"net"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// drain takes the events that a subflow has, up to a bound that lets acknowledgements leave in time.
func (k *core) drain(now time.Time, s *subflow) {
	for s.phase != phaseDead && k.state != connEnded {
		ev, ok := s.carrier.Poll()
		if !ok {
			return
		}
		k.event(now, s, ev)
	}
}

func (k *core) event(now time.Time, s *subflow, ev transport.Event) {
	switch ev.Kind {
	case transport.EventConnected:
		k.connected(now, s)
	case transport.EventOption:
		if ev.Sealed || k.obeys(s, ev.Option) {
			k.option(now, s, ev.Option)
		}
	case transport.EventData:
		k.data(now, s, ev)
	case transport.EventAck:
		k.acked(now, s, ev.Ack)
	case transport.EventDataAck:
		k.dataAck(now, s, ev.DataAck, ev.Sealed)
	case transport.EventPong:
		k.pong(now, s, ev.Ack.RTT)
	case transport.EventFin:
		k.subflowFin(now, s)
	case transport.EventClosed:
		k.drop(now, s, wire.ResetUnspecified, closedReason(ev.Err))
	}
}

func closedReason(err error) string {
	if err == nil {
		return "the peer closed the subflow"
	}
	return err.Error()
}

// option acts on an MPTCP signal.
func (k *core) option(now time.Time, s *subflow, o wire.Option) {
	switch o := o.(type) {
	case wire.MPCapable:
		k.capable(now, s, o)
	case wire.MPJoin:
		k.join(now, s, o)
	case wire.MPPrio:
		if s.phase == phaseActive { // RFC 8684 §3.3.8: the sender of data should obey
			s.peerBackup = o.Backup
			k.notice(s)
		}
	case wire.AddAddr:
		k.addAddr(s, o)
	case wire.RemoveAddr:
		k.removeAddr(now, s, o)
	case wire.MPFastclose:
		k.fastclosed(now, s, o)
	case wire.MPTCPRst:
		s.reason = "the peer reset the subflow: " + o.Reason.String()
		if k.paths != nil {
			k.paths.refused(s, o.Reason)
		}
		k.drop(now, s, wire.ResetUnspecified, s.reason)
	}
}

// acked takes in a carrier's acknowledgement.
func (k *core) acked(now time.Time, s *subflow, a transport.Ack) {
	if a.Offset > s.sent {
		k.drop(now, s, wire.ResetProtocol, "the peer acknowledged bytes that were not sent")
		return
	}
	k.established(now, s)
	if a.Offset <= s.acked {
		return
	}
	n := int(a.Offset - s.acked)
	s.acked = a.Offset
	s.inFlight -= n
	s.progress = now
	mark, ok := s.ranges.pop(a.Offset)
	var rtt time.Duration
	if ok && !mark.Sent.IsZero() {
		rtt = max(a.At.Sub(mark.Sent)-a.Delay, time.Microsecond)
		s.rtt.add(rtt)
	}
	s.entry.Acked(now, mark, n, rtt)
	k.alive(s)
}

// pong takes in the answer to a probe.
func (k *core) pong(now time.Time, s *subflow, rtt time.Duration) {
	s.asked, s.progress = time.Time{}, now
	if s.inFlight == 0 {
		s.rtt.idle(rtt)
	} else {
		s.rtt.add(rtt)
	}
	s.entry.RoundTrip(now, rtt)
	k.alive(s)
}

// alive ends suspicion: whatever a silent path says brings it back.
func (k *core) alive(s *subflow) {
	if s.suspect {
		s.suspect, s.reason = false, ""
		k.notice(s)
	}
}

// dataAck takes in a connection-level acknowledgement and window (RFC 8684 §3.3.2, §3.3.4, §3.3.5).
func (k *core) dataAck(now time.Time, s *subflow, d transport.DataAck, sealed bool) {
	k.established(now, s)
	if s.phase < phaseActive || !k.knowRemote {
		return
	}
	ack := d.Ack
	if !d.Wide {
		ack = wire.Promote(k.send.una, uint32(ack))
	}
	if wire.DSNLess(k.maxSent(), ack) {
		return // acknowledges what was never sent
	}
	if k.fin.sent && ack == k.send.end+1 {
		k.fin.acked = true
		ack = k.send.end
	}
	if wire.DSNLess(k.send.una, ack) {
		n := k.send.ack(ack)
		k.headAt = now
		k.conn.outg.progress(0, n, k.unassignedLimit())
	}
	if edge := ack + d.Window; wire.DSNLess(k.edge, edge) && d.Window < 1<<40 && (sealed || k.believes(edge)) {
		k.edge = edge
	}
}

// maxSent is the highest data sequence number that a DATA_ACK may name.
func (k *core) maxSent() uint64 {
	if k.fin.sent {
		return k.send.end + 1
	}
	return k.nxt
}

// subflowFin handles a subflow that the peer has half-closed: in order after the stream's end, a loss before it
// (RFC 8684 §3.3.3: not the end of the connection).
func (k *core) subflowFin(now time.Time, s *subflow) {
	if k.finished() || s.phase == phaseClosing {
		s.phase = phaseClosing
		s.carrier.Close()
		return
	}
	k.drop(now, s, wire.ResetUnspecified, "the peer closed the subflow")
}

// data takes in mapped bytes.
func (k *core) data(now time.Time, s *subflow, ev transport.Event) {
	m, p := ev.Map, ev.Data
	n := len(p.B)
	s.bytesIn += uint64(n)
	s.entry.Received(now, n)
	if s.phase < phaseActive {
		p.Release()
		k.drop(now, s, wire.ResetProtocol, "data before the subflow was established")
		return
	}
	if !ev.Sealed && !k.admitClear(m) {
		p.Release()
		k.drop(now, s, wire.ResetMiddlebox, "data without a seal: the path made it")
		return
	}
	if n > 0 && !k.fin.closed.IsZero() && k.fin.acked {
		p.Release() // nobody will ever read it, and what we had to say has arrived
		k.abort(now, net.ErrClosed)
		return
	}
	k.news, k.moved = true, now
	if m.Fin {
		k.peerFin(m.DSN + uint64(n))
	}
	if n == 0 {
		p.Release()
		k.advanceFin()
		return
	}
	// Beyond the window: not acknowledged at data level (RFC 8684 §3.8).
	if wire.DSNLess(k.window.edge, m.DSN+uint64(n)) || wire.DSNLess(m.DSN, k.inDSN) {
		p.Release()
		if !k.trusted {
			k.end(now, fmt.Errorf("%w: more than %d bytes came before", ErrStranger, strangerBytes), true)
		}
		return
	}
	k.out = k.recv.insert(m.DSN, p, k.out)
	if k.recv.crowded(k.window.size) {
		// Nothing is lost: what was inserted stays, and what has not been acknowledged is sent again elsewhere.
		k.drop(now, s, wire.ResetResources, "the peer's data is full of holes")
	}
	k.advanceFin()
}
