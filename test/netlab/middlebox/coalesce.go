package middlebox

import (
	"bytes"
	"time"

	"hawser/test/netlab"
)

// Coalesce merges consecutive segments of a connection into larger ones. The merged segment has the options of the
// first one, and the acknowledgement and window of the last.
//
// What it stands for: hosts and routers with receive offload, traffic normalisers and wireless gateways that fill their
// frames. All options but those of the first segment are lost, so MPTCP mappings may be missing: use
// it to test that a receiver notices.
type Coalesce struct {
	Size int           // of the largest merged payload, bytes; the link's MTU bounds it too
	Wait time.Duration // how long a segment waits for the next; 0: 1 ms

	held []heldSegment // at most one of each direction of a connection
	counter
}

// A heldSegment waits for the next of its flow. It owns its bytes.
type heldSegment struct {
	segment
	due time.Time
}

// Handle implements netlab.Stage.
func (c *Coalesce) Handle(now time.Time, frame []byte, out netlab.Output) {
	s, ok := dissect(frame)
	if !ok {
		out.Forward(frame)
		return
	}
	n := c.find(s.flow())
	plain := len(s.payload) > 0 && !s.has(flagSYN|flagRST|flagURG|flagFIN)
	if n >= 0 {
		h := &c.held[n]
		if plain && s.seq == h.end() && len(h.payload)+len(s.payload) <= c.Size {
			h.payload = append(h.payload, s.payload...)
			h.ack, h.window, h.flags = s.ack, s.window, h.flags|s.flags
			c.acted(1)
			return
		}
		c.release(n, out)
	}
	if !plain || len(s.payload) >= c.Size {
		out.Forward(frame)
		return
	}
	c.hold(now, frame)
}

func (c *Coalesce) find(f flow) int {
	for n := range c.held {
		if c.held[n].flow() == f {
			return n
		}
	}
	return -1
}

func (c *Coalesce) hold(now time.Time, frame []byte) {
	s, _ := dissect(bytes.Clone(frame))
	s.payload = append(make([]byte, 0, c.Size), s.payload...)
	wait := c.Wait
	if wait <= 0 {
		wait = time.Millisecond
	}
	c.held = append(c.held, heldSegment{s, now.Add(wait)})
}

func (c *Coalesce) release(n int, out netlab.Output) {
	out.Forward(c.held[n].frame())
	c.held = append(c.held[:n], c.held[n+1:]...)
}

// Deadline implements netlab.TimedStage.
func (c *Coalesce) Deadline() time.Time {
	if len(c.held) == 0 {
		return time.Time{}
	}
	return c.held[0].due // they all wait equally long
}

// Wake implements netlab.TimedStage.
func (c *Coalesce) Wake(now time.Time, out netlab.Output) {
	for len(c.held) > 0 && !c.held[0].due.After(now) {
		c.release(0, out)
	}
}
