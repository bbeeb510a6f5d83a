package middlebox

import (
	"bytes"
	"time"

	"hawser/test/netlab"
)

// Duplicate forwards some of the TCP segments twice, one right after the other.
//
// What it stands for: link layers that repeat a frame whose acknowledgement was lost (Wi-Fi, LTE hand-over), and loops
// in switched networks.
type Duplicate struct {
	Every int // the n-th, 2n-th … segment; 0 and 1: every one
	seen  int
	counter
}

// Handle implements netlab.Stage.
func (d *Duplicate) Handle(_ time.Time, frame []byte, out netlab.Output) {
	_, ok := dissect(frame)
	if ok {
		d.seen++
	}
	if !ok || d.seen < d.Every {
		out.Forward(frame)
		return
	}
	d.seen = 0
	d.acted(1)
	out.Forward(bytes.Clone(frame)) // what follows may change it
	out.Forward(frame)
}

// Reorder holds some of the TCP segments back until others have overtaken them. Shape.Reorder does so by time; this
// stage does it by number, always to the same segments.
//
// What it stands for: load balancing by packet over several lines, and routers with parallel engines.
type Reorder struct {
	Every  int           // the n-th, 2n-th … segment is held back; 0 and 1: each that comes while none is held
	Behind int           // until so many later ones have passed; 0 means 1, which swaps two
	Wait   time.Duration // or until so much time has passed; 0 means 100 ms

	seen    int
	held    []byte
	passed  int // since the held one came
	release time.Time
	counter
}

// Handle implements netlab.Stage.
func (r *Reorder) Handle(now time.Time, frame []byte, out netlab.Output) {
	if _, ok := dissect(frame); !ok {
		out.Forward(frame)
		return
	}
	r.seen++
	if r.held == nil && r.seen >= r.Every {
		wait := r.Wait
		if wait <= 0 {
			wait = 100 * time.Millisecond
		}
		r.seen, r.passed, r.held, r.release = 0, 0, bytes.Clone(frame), now.Add(wait)
		r.acted(1)
		return
	}
	out.Forward(frame)
	if r.passed++; r.held != nil && r.passed >= r.Behind {
		r.let(out)
	}
}

func (r *Reorder) let(out netlab.Output) {
	held := r.held
	r.held, r.release = nil, time.Time{}
	out.Forward(held)
}

// Deadline implements netlab.TimedStage.
func (r *Reorder) Deadline() time.Time { return r.release }

// Wake implements netlab.TimedStage.
func (r *Reorder) Wake(_ time.Time, out netlab.Output) { r.let(out) }
