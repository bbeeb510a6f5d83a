package middlebox

import "sync/atomic"

// A counter counts what a stage has done; the test may ask at any time.
type counter struct{ n atomic.Int64 }

// Acted is how many segments the stage has changed, held back, added or dropped.
func (c *counter) Acted() int64 { return c.n.Load() }

func (c *counter) acted(n int) { c.n.Add(int64(n)) }
