package middlebox

import (
	"time"

	"hawser/test/netlab"
)

// Segments says on which segments of TCP a stage acts.
type Segments uint8

// Which segments there are. OnJoin goes by the option and not by the segment: MP_JOIN, on whatever it comes.
const (
	OnSYN      Segments = 1 << iota // SYN without ACK
	OnSYNACK                        // SYN with ACK
	OnJoin                          // MP_JOIN alone; the other options stay
	OnData                          // with payload, without SYN
	OnOther                         // neither SYN nor payload
	Everywhere = OnSYN | OnSYNACK | OnData | OnOther
)

// Strip removes the MPTCP options (kind 30) from some of the segments that pass.
//
// What it stands for: firewalls that let only options pass that they know, commonly on SYN alone, on SYN and SYN/ACK
// alone or on all segments; proxies that take care of options in the handshake and not on data, or the reverse; load
// balancers that lead only MP_CAPABLE to the right server.
type Strip struct {
	On    Segments
	Blank bool // put NOPs in place of the options, as Cisco's ASA does, instead of closing the gap
	counter
}

// Handle implements netlab.Stage.
func (s *Strip) Handle(_ time.Time, frame []byte, out netlab.Output) {
	seg, ok := dissect(frame)
	if !ok {
		out.Forward(frame)
		return
	}
	all, joins := s.On&kindOf(&seg) != 0, s.On&OnJoin != 0
	options, dropped := keepOptions(seg.options, s.Blank, func(o []byte) bool {
		return o[0] != kindMPTCP || !all && !(joins && isJoin(o))
	})
	s.pass(&seg, frame, options, dropped, out)
}

// pass forwards a segment whose options have become fewer, and others as they are.
func (c *counter) pass(seg *segment, frame, options []byte, dropped int, out netlab.Output) {
	if dropped == 0 {
		out.Forward(frame)
		return
	}
	c.acted(1)
	seg.options = options
	out.Forward(seg.frame())
}

func kindOf(s *segment) Segments {
	switch {
	case s.has(flagSYN) && s.has(flagACK):
		return OnSYNACK
	case s.has(flagSYN):
		return OnSYN
	case len(s.payload) > 0:
		return OnData
	}
	return OnOther
}

// DropUnknownOptions removes every option that was not in common use in the 1990s: all but MSS, window scale, SACK
// permitted, SACK and timestamps.
//
// What it stands for: old or strict firewalls and "TCP normalizers". They remove MPTCP, Fast Open, the MD5 signature
// and the authentication option alike.
type DropUnknownOptions struct{ counter }

// Handle implements netlab.Stage.
func (d *DropUnknownOptions) Handle(_ time.Time, frame []byte, out netlab.Output) {
	seg, ok := dissect(frame)
	if !ok {
		out.Forward(frame)
		return
	}
	options, dropped := keepOptions(seg.options, false, func(o []byte) bool {
		switch o[0] {
		case kindNOP, kindMSS, kindWindowScale, kindSACKPermitted, kindSACK, kindTimestamps:
			return true
		}
		return false
	})
	d.pass(&seg, frame, options, dropped, out)
}
