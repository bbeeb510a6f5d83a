package middlebox

import (
	"slices"
	"time"

	"hawser/test/netlab"
)

// A Box is a middlebox that sees both directions of a link.
type Box interface {
	Ahead() netlab.Stage // for one direction
	Back() netlab.Stage  // for the other
}

// Chain gives the stages of several boxes for the two directions of a link. What goes ahead passes the boxes in the
// order given, what goes back in the opposite one:
//
//	ahead, back := middlebox.Chain(nat, firewall)
//	link.SetStages(netlab.AToB, ahead...)
//	link.SetStages(netlab.BToA, back...)
func Chain(boxes ...Box) (ahead, back []netlab.Stage) {
	for _, b := range boxes {
		ahead, back = append(ahead, b.Ahead()), append(back, b.Back())
	}
	slices.Reverse(back)
	return ahead, back
}

// A half is one direction of a box: a function of the segments that pass in it. All else goes by.
type half func(now time.Time, s *segment, frame []byte, out netlab.Output)

// Handle implements netlab.Stage.
func (h half) Handle(now time.Time, frame []byte, out netlab.Output) {
	s, ok := dissect(frame)
	if !ok {
		out.Forward(frame)
		return
	}
	h(now, &s, frame, out)
}
