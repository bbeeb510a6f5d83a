package netlab

import (
	"math/rand/v2"
	"time"
)

// A chance makes the random decisions of one direction. Each kind of decision draws from a stream of its own, so that
// the losses of a seed are the same frames whatever the jitter is.
type chance struct {
	loss, burst, hold *rand.Rand
	wander            wander
	bad               bool // state of the Gilbert–Elliott model
}

// newChance returns the decisions that belong to a seed and a direction's name.
func newChance(seed uint64, direction uint64) *chance {
	stream := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, direction<<8|n)) }
	return &chance{loss: stream(1), burst: stream(2), hold: stream(3), wander: wander{random: stream(4)}}
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

// wanderStep is how long the delay takes from one random point to the next. Delays that are drawn for each frame on
// its own would, where order is kept, amount to a nearly constant Delay + Jitter: of the many frames in flight one
// always draws close to the longest. Radio links change at this pace.
const wanderStep = 40 * time.Millisecond

// A wander is a random function of time between -1 and 1: straight lines between points wanderStep apart.
type wander struct {
	random   *rand.Rand
	step     int64 // number of the current line
	from, to float64
}

// at returns the value at now, which does not go back.
func (w *wander) at(now time.Duration) float64 {
	step := int64(now / wanderStep)
	if step > w.step+1 { // nobody looked for a while
		w.step, w.to = step-1, w.draw()
	}
	if step > w.step {
		w.step, w.from, w.to = step, w.to, w.draw()
	}
	part := float64(now%wanderStep) / float64(wanderStep)
	return w.from + (w.to-w.from)*part
}

func (w *wander) draw() float64 { return 2*w.random.Float64() - 1 }
