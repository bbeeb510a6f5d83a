package netlab

import (
	"fmt"
	"time"
)

// A Stage is a middlebox on one direction of an emulated link. It sits at the sender's end, before the queue.
//
// Handle is called for each Ethernet frame in order, on the link's thread; both directions of a link share that thread,
// so a box that watches both needs no lock of its own against itself. The frame is valid during the call and may be
// changed in place. What is not forwarded is gone. Handle must not block nor call methods of the lab.
type Stage interface {
	Handle(now time.Time, frame []byte, out Output)
}

// A TimedStage also acts when time passes: it holds frames back, or sends frames of its own.
type TimedStage interface {
	Stage

	// Deadline is when Wake wants to be called; the zero time: not at all. It may lie in the past. It is asked after
	// each call of the stages, and after Link.Sync.
	Deadline() time.Time

	// Wake is called at the deadline (of which now tells; the call itself may be late), on the same thread and with
	// the same rules as Handle. Afterwards the deadline must be later than now, or zero. What Wake puts out passes
	// the stages that follow, as what Handle does.
	Wake(now time.Time, out Output)
}

// Output is where a Stage puts frames. Both methods copy the frame. It is valid during the call of Handle or Wake.
type Output interface {
	Forward(frame []byte) // on, to the next stage or the queue
	Return(frame []byte)  // back to the sender, through the queue of the opposite direction but not its stages
}

// StageFunc is a Stage that is a function from a frame to the frames that take its place.
type StageFunc func(frame []byte) [][]byte

// Handle forwards what the function returns.
func (f StageFunc) Handle(_ time.Time, frame []byte, out Output) {
	for _, g := range f(frame) {
		out.Forward(g)
	}
}

// A chain is the stages of one direction, with what lies behind them. Within a chain time does not go back.
type chain struct {
	stages   []Stage
	forward  func(now time.Time, frame []byte)
	backward func(now time.Time, frame []byte)
	latest   time.Time // of the calls so far
}

// handle passes a frame through the stages, after those have acted whose time has come.
func (c *chain) handle(now time.Time, frame []byte) {
	c.wake(now)
	step{chain: c, now: c.clock(now)}.Forward(frame)
}

// clock returns now, or the time of the latest call if that is later.
func (c *chain) clock(now time.Time) time.Time {
	if now.After(c.latest) {
		c.latest = now
	}
	return c.latest
}

// deadline is when wake has to be called, with the number of the stage that says so; the zero time: not at all.
func (c *chain) deadline() (at time.Time, stage int) {
	for n, s := range c.stages {
		timed, ok := s.(TimedStage)
		if !ok {
			continue
		}
		if d := timed.Deadline(); !d.IsZero() && (at.IsZero() || d.Before(at)) {
			at, stage = d, n
		}
	}
	return at, stage
}

// wake lets the stages act whose deadline has come by now, each at the time of its deadline.
func (c *chain) wake(now time.Time) {
	for {
		at, n := c.deadline()
		if at.IsZero() || at.After(now) {
			return
		}
		at = c.clock(at)
		stage := c.stages[n].(TimedStage)
		stage.Wake(at, step{chain: c, now: at, next: n + 1})
		if d := stage.Deadline(); !d.IsZero() && !d.After(at) {
			panic(fmt.Sprintf("BUG: %T wants to be woken at %v after it was woken at %v", stage, d, at))
		}
	}
}

// A step is the place in a chain before the stage of its number.
type step struct {
	chain *chain
	now   time.Time
	next  int
}

// Forward implements Output.
func (s step) Forward(frame []byte) {
	if s.next == len(s.chain.stages) {
		s.chain.forward(s.now, frame)
		return
	}
	stage := s.chain.stages[s.next]
	s.next++
	stage.Handle(s.now, frame, s)
}

// Return implements Output.
func (s step) Return(frame []byte) { s.chain.backward(s.now, frame) }
