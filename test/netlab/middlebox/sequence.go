package middlebox

import (
	"bytes"
	"math/rand/v2"
	"time"

	"hawser/test/netlab"
)

// A SequenceRewriter gives both directions of each connection sequence numbers of its own: a random offset is added to
// those of one side, and taken from the acknowledgements and SACK blocks of the other.
//
// What it stands for: firewalls that "randomise initial sequence numbers" (Cisco PIX and ASA do by default) and every
// other box that breaks a protocol that names absolute sequence numbers in its options.
//
// Only connections whose SYN has passed are rewritten.
type SequenceRewriter struct {
	// KeepSACK leaves SACK blocks as they are, which makes them nonsense: a known defect of such firewalls.
	KeepSACK bool

	random *rand.Rand
	offset map[flow]uint32 // added to the sequence numbers of that direction
	counter
}

// RewriteSequence makes a box whose offsets belong to a seed.
func RewriteSequence(seed uint64) *SequenceRewriter {
	return &SequenceRewriter{random: rand.New(rand.NewPCG(seed, 0)), offset: map[flow]uint32{}}
}

// Ahead implements Box. Both directions do the same.
func (r *SequenceRewriter) Ahead() netlab.Stage { return half(r.handle) }

// Back implements Box.
func (r *SequenceRewriter) Back() netlab.Stage { return half(r.handle) }

func (r *SequenceRewriter) handle(_ time.Time, s *segment, frame []byte, out netlab.Output) {
	here := s.flow()
	if _, known := r.offset[here]; !known && s.has(flagSYN) && !s.has(flagACK) {
		r.offset[here], r.offset[here.reverse()] = r.random.Uint32(), r.random.Uint32()
	}
	add, known := r.offset[here]
	if !known {
		out.Forward(frame)
		return
	}
	s.seq += add
	if s.has(flagACK) {
		subtract := r.offset[here.reverse()]
		s.ack -= subtract
		if !r.KeepSACK {
			s.options = bytes.Clone(s.options)
			eachSACKEdge(s.options, func(edge uint32) uint32 { return edge - subtract })
		}
	}
	r.acted(1)
	out.Forward(s.frame())
}
