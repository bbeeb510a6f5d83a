package middlebox

import (
	"time"

	"hawser/test/netlab"
)

// refusal is the reset that a host without a connection answers a segment with (RFC 9293 §3.10.7.1).
func (s *segment) refusal() segment {
	a := s.answer()
	if s.has(flagACK) {
		a.seq, a.flags = s.ack, flagRST
	} else {
		a.ack, a.flags = s.end(), flagRST|flagACK
	}
	return a
}

// Ends says to which ends of a connection a box sends.
type Ends uint8

// The ends, seen from the direction Ahead of the box.
const (
	Sender Ends = 1 << iota // where what goes ahead comes from
	Receiver
	BothEnds = Sender | Receiver
)

// A Resetter ends connections by forged resets, with the sequence numbers that the other end would use, so that they
// are believed.
//
// What it stands for: censors, intrusion detection and "traffic management" that send resets to one end or both, and
// firewalls that clear their table politely.
//
// Only connections whose SYN has passed are known. What passes after the resets passes.
type Resetter struct {
	To     Ends
	After  int64  // resets each connection once so many bytes of payload have gone ahead; 0: only Fire does
	Offset uint32 // added to the right sequence number; other than 0, RFC 5961 §3.2 wants it questioned and not believed

	flows map[flow]*resetFlow // by the direction ahead
	order []*resetFlow        // as they began
	fire  bool
	counter
}

// A resetFlow is what the box knows of a connection.
type resetFlow struct {
	there, here segment // empty segments ahead and back; seq is what comes next in that direction
	bytes       int64   // payload that has gone ahead
	done        bool
}

// Ahead implements Box.
func (r *Resetter) Ahead() netlab.Stage { return resetterAhead{r} }

// Back implements Box.
func (r *Resetter) Back() netlab.Stage {
	return half(func(_ time.Time, s *segment, frame []byte, out netlab.Output) {
		if f := r.flow(s, s.flow().reverse()); f != nil {
			f.here.seq = later(f.here.seq, s.end())
		}
		out.Forward(frame)
	})
}

// Fire resets all connections now. Call it within netlab.Link.Sync.
func (r *Resetter) Fire() { r.fire = true }

// flow returns what is known of a connection by its direction ahead; nil: nothing. A SYN makes it known.
func (r *Resetter) flow(s *segment, ahead flow) *resetFlow {
	f := r.flows[ahead]
	if !s.has(flagSYN) {
		return f
	}
	if s.has(flagACK) && f != nil { // the other end's first sequence number
		if ahead == s.flow() {
			f.there.seq = s.end()
		} else {
			f.here.seq = s.end()
		}
		return f
	}
	if f != nil && (f.there.seq == s.end() || f.here.seq == s.end()) {
		return f // the SYN once more
	}
	opposite := s.answer()
	same := opposite.answer()
	same.seq = s.end()
	f = &resetFlow{there: same, here: opposite}
	if ahead != s.flow() {
		f.there, f.here = opposite, same
	}
	if r.flows == nil {
		r.flows = map[flow]*resetFlow{}
	}
	r.flows[ahead] = f
	r.order = append(r.order, f)
	return f
}

// reset ends a connection.
func (r *Resetter) reset(f *resetFlow, out netlab.Output) {
	f.done = true
	if r.To&Receiver != 0 {
		out.Forward(r.forge(f.there))
	}
	if r.To&Sender != 0 {
		out.Return(r.forge(f.here))
	}
}

func (r *Resetter) forge(s segment) []byte {
	r.acted(1)
	s.seq += r.Offset
	s.flags = flagRST
	return s.frame()
}

// resetterAhead is the direction from which the resets are sent.
type resetterAhead struct{ *Resetter }

// Handle implements netlab.Stage.
func (r resetterAhead) Handle(_ time.Time, frame []byte, out netlab.Output) {
	s, ok := dissect(frame)
	var f *resetFlow
	if ok {
		f = r.flow(&s, s.flow())
	}
	if f == nil {
		out.Forward(frame)
		return
	}
	f.there.seq = later(f.there.seq, s.end())
	f.bytes += int64(len(s.payload))
	out.Forward(frame)
	if r.After > 0 && f.bytes >= r.After && !f.done {
		r.reset(f, out)
	}
}

// Deadline implements netlab.TimedStage.
func (r resetterAhead) Deadline() time.Time {
	if r.fire {
		return time.Unix(1, 0) // past: at once
	}
	return time.Time{}
}

// Wake implements netlab.TimedStage.
func (r resetterAhead) Wake(_ time.Time, out netlab.Output) {
	r.fire = false
	for _, f := range r.order {
		if !f.done {
			r.reset(f, out)
		}
	}
}
