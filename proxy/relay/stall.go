package relay

import (
	"sync/atomic"
	"time"
)

// stallCheck is how long a write to the stream may take before the local connection is asked whether it still lives:
// nobody reads from it meanwhile.
const stallCheck = 5 * time.Second

// stall finds out that the local connection was reset while a write to the stream is blocked. arm and disarm belong
// to the goroutine that writes; the zero value does nothing.
type stall struct {
	failed func() error // asks the socket
	abort  func()

	// armed guards timer: it is stored after timer was set and before check may look at it.
	armed atomic.Bool
	timer *time.Timer
}

func (s *stall) watch(failed func() error, abort func()) { s.failed, s.abort = failed, abort }

func (s *stall) arm() {
	switch {
	case s.failed == nil:
		return
	case s.timer == nil:
		s.timer = time.AfterFunc(stallCheck, s.check)
	default:
		s.timer.Reset(stallCheck)
	}
	s.armed.Store(true)
}

func (s *stall) disarm() {
	if s.failed != nil {
		s.armed.Store(false)
		s.timer.Stop()
	}
}

// check runs on the timer. When disarm overtakes it, the timer fires once more and finds nothing to do.
func (s *stall) check() {
	if !s.armed.Load() {
		return
	}
	if s.failed() != nil {
		s.abort()
		return
	}
	s.timer.Reset(stallCheck)
}
