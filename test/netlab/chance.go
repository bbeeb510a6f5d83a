package netlab

import (
	"math/rand/v2"
	"time"

	"hawser/transport/linksim"
)

// A chance makes the random decisions of one direction. Each kind of decision draws from a stream of its own, so that
// the losses of a seed are the same frames whatever the jitter is.
type chance struct {
	loss, burst, hold *rand.Rand
	wander            linksim.Wander
	bad               bool // state of the Gilbert–Elliott model
}

// newChance returns the decisions that belong to a seed and a direction's name.
func newChance(seed uint64, direction uint64) *chance {
	stream := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, direction<<8|n)) }
	return &chance{loss: stream(1), burst: stream(2), hold: stream(3), wander: linksim.NewWander(stream(4))}
}

// lost decides on the next frame.
func (c *chance) lost(s *Shape) bool {
	lost := s.Loss > 0 && c.loss.Float64() < s.Loss
	if s.Burst.Enter > 0 {
		lost = c.burstLost(s.Burst) || lost
	}
	return lost
}

// burstLost moves the Gilbert–Elliott model on by one frame and decides on it.
func (c *chance) burstLost(b Burst) bool {
	if c.bad {
		c.bad = c.burst.Float64() >= b.Leave
	} else {
		c.bad = c.burst.Float64() < b.Enter
	}
	return c.bad && (b.Loss == 0 || c.burst.Float64() < b.Loss)
}

// held returns how long the next frame is held back for later ones to overtake it; 0: not at all.
func (c *chance) held(s *Shape) time.Duration {
	if s.Reorder == 0 || c.hold.Float64() >= s.Reorder {
		return 0
	}
	most := 2 * s.Jitter
	if most == 0 {
		most = 5 * time.Millisecond
	}
	return 1 + time.Duration(c.hold.Int64N(int64(most)))
}
