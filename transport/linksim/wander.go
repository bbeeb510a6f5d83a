package linksim

import (
	"math/rand/v2"
	"time"
)

// wanderStep is how long a delay takes from one random point to the next. Delays that are drawn for each frame on
// its own would, where order is kept, amount to a nearly constant longest one: of the many frames in flight one always
// draws close to that. Radio links change at this pace.
const wanderStep = 40 * time.Millisecond

// Wander is a random function of time between -1 and 1: straight lines between points wanderStep apart.
type Wander struct {
	random   *rand.Rand
	step     int64 // number of the current line
	from, to float64
}

// NewWander makes a Wander that draws from random.
func NewWander(random *rand.Rand) Wander { return Wander{random: random} }

// At returns the value at now, a time since any fixed moment, which does not go back.
func (w *Wander) At(now time.Duration) float64 {
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

func (w *Wander) draw() float64 { return 2*w.random.Float64() - 1 }
