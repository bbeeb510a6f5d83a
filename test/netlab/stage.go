package netlab

import "time"

// A Stage is a middlebox on one direction of an emulated link. It sits at the sender's end, before the queue.
//
// Handle is called for each Ethernet frame in order, on the link's thread; both directions of a link share that thread,
// so a box that watches both needs no lock of its own against itself. The frame is valid during the call and may be
// changed in place. What is not forwarded is gone. Handle must not block nor call methods of the lab.
type Stage interface {
	Handle(now time.Time, frame []byte, out Output)
}

// Output is where a Stage puts frames. Both methods copy the frame. It is valid during the call of Handle.
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

// A chain is the stages of one direction, with what lies behind them.
type chain struct {
	stages   []Stage
	forward  func(now time.Time, frame []byte)
	backward func(now time.Time, frame []byte)
}

// handle passes a frame through the stages.
func (c *chain) handle(now time.Time, frame []byte) {
	step{chain: c, now: now}.Forward(frame)
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
