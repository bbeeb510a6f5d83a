package middlebox

import (
	"bytes"
	"slices"
	"time"

	"hawser/test/netlab"
)

// AckAhead acknowledges the data that go ahead itself, as soon as they pass, and answers for them from then on: it keeps
// them and sends them again until the receiver has acknowledged them.
//
// What it stands for: performance-enhancing proxies that pro-actively acknowledge but do not end the connection (RFC
// 3135 §3.1.2; RFC 8684 §6 on proxies), as on satellite and mobile links. A sender that takes TCP's acknowledgement
// for delivery to the other end is wrong behind it; MPTCP has the DATA_ACK for that reason.
//
// In detail. The box acknowledges payload in sequence only, never SYN and FIN, and never beyond the window that the
// receiver has offered. Its acknowledgements carry timestamps if the connection uses them, and no other option. The
// receiver's acknowledgements pass, raised to what the box has acknowledged and without the SACK blocks that are the
// box's own affair; those that say nothing new to the sender are swallowed unless they carry an MPTCP option. Losses
// behind the box are repaired after three duplicate acknowledgements, by NewReno's rule (RFC 6582), or after 200 ms,
// doubled each time. A reset makes the box forget what it keeps. Only connections whose SYN has passed are served.
//
// The stage Ahead answers through the opposite direction of the link and its delay. To be ahead of the receiver, the
// box must be on a link before the one whose delay and loss matter.
type AckAhead struct {
	Limit int // of the payload kept for a connection, bytes; 0: 1 MiB. What exceeds it passes without being acknowledged

	flows []*ackFlow
	counter
}

// Ahead implements Box.
func (a *AckAhead) Ahead() netlab.Stage { return ackAheadData{a} }

// Back implements Box.
func (a *AckAhead) Back() netlab.Stage { return half(a.handleAck) }

// handleAck passes on what the receiver says.
func (a *AckAhead) handleAck(now time.Time, s *segment, frame []byte, out netlab.Output) {
	f := a.flow(s, s.flow().reverse())
	if f == nil || !s.has(flagACK) {
		out.Forward(frame)
		return
	}
	edge := f.edge
	for _, again := range f.acknowledged(now, s) {
		out.Return(again)
	}
	if s.has(flagSYN) || !before(s.ack, f.next) {
		out.Forward(frame)
		return
	}
	sameWindow := f.edge == edge
	if sameWindow && len(s.payload) == 0 && !s.has(flagFIN) && findOption(s.options, kindMPTCP) == nil {
		return
	}
	s.ack, s.window = f.next, f.window()
	s.options, _ = keepOptions(s.options, true, func(o []byte) bool { return o[0] != kindSACK })
	out.Forward(s.frame())
}

// flow returns what is known of a connection by its direction ahead; nil: nothing. A SYN makes it known, a reset makes
// it forgotten.
func (a *AckAhead) flow(s *segment, ahead flow) *ackFlow {
	n := slices.IndexFunc(a.flows, func(f *ackFlow) bool { return f.ahead == ahead })
	opens := s.has(flagSYN) && !s.has(flagACK)
	if n >= 0 && (s.has(flagRST) || opens) {
		a.flows = slices.Delete(a.flows, n, n+1)
		n = -1
	}
	if opens {
		n = len(a.flows)
		a.flows = append(a.flows, &ackFlow{ahead: ahead, limit: a.Limit})
	}
	if n < 0 {
		return nil
	}
	if s.has(flagSYN) {
		a.flows[n].synchronize(s)
	}
	return a.flows[n]
}

// ackAheadData is the direction of the data.
type ackAheadData struct{ *AckAhead }

// Handle implements netlab.Stage.
func (a ackAheadData) Handle(now time.Time, frame []byte, out netlab.Output) {
	s, ok := dissect(frame)
	if !ok {
		out.Forward(frame)
		return
	}
	f := a.flow(&s, s.flow())
	if f == nil || len(s.payload) == 0 || s.has(flagSYN) || !f.open() {
		out.Forward(frame)
		return
	}
	taken, old := f.take(now, &s, frame)
	if taken || old {
		a.acted(1)
		out.Return(f.acknowledgement(&s))
	}
	if !old {
		out.Forward(frame)
	}
}

// Deadline implements netlab.TimedStage.
func (a ackAheadData) Deadline() (at time.Time) {
	for _, f := range a.flows {
		if !f.due.IsZero() && (at.IsZero() || f.due.Before(at)) {
			at = f.due
		}
	}
	return at
}

// Wake implements netlab.TimedStage.
func (a ackAheadData) Wake(now time.Time, out netlab.Output) {
	for _, f := range a.flows {
		if !f.due.IsZero() && !f.due.After(now) {
			out.Forward(bytes.Clone(f.timeout(now)))
		}
	}
}
