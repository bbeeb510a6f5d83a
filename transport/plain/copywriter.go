package plain

import (
	"io"
	"sync"
)

// copyWriterSize bounds what a copyWriter holds, bytes: a few of the smallest limits.
const copyWriterSize = 64 << 10

// copyWriter gives a blocking connection the non-blocking writes of a Socket: one goroutine writes a bounded copy.
// It is for systems without non-blocking gathered writes.
type copyWriter struct {
	w io.Writer

	mu      sync.Mutex
	space   sync.Cond // on mu: writable may have changed
	waiting []byte    // not handed to the goroutine yet
	unsent  int       // waiting, and what is being written
	lowat   int
	busy    bool // the goroutine runs
	err     error
	atEnd   func() // to be called when all is written; nil: not closing
}

func newCopyWriter(w io.Writer) *copyWriter {
	c := &copyWriter{w: w, lowat: limitMin}
	c.space.L = &c.mu
	return c
}

// TryWrite takes what fits.
func (c *copyWriter) TryWrite(bufs [][]byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	for _, b := range bufs {
		k := min(len(b), copyWriterSize-c.unsent)
		c.waiting = append(c.waiting, b[:k]...)
		c.unsent += k
		n += k
	}
	if n == 0 {
		return 0, ErrAgain
	}
	c.start()
	return n, nil
}

// start sees to it that the goroutine runs; mu is held.
func (c *copyWriter) start() {
	if !c.busy {
		c.busy = true
		go c.run()
	}
}

// run writes until nothing waits.
func (c *copyWriter) run() {
	var b []byte
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && len(c.waiting) > 0 {
		b, c.waiting = c.waiting, b[:0]
		c.mu.Unlock()
		_, err := c.w.Write(b)
		c.mu.Lock()
		c.unsent -= len(b)
		if err != nil {
			c.err = err
		}
		c.space.Broadcast()
	}
	c.busy = false
	if c.atEnd != nil {
		c.atEnd()
		c.atEnd = nil
	}
}

// WaitWritable waits for space above the mark of SetLowat.
func (c *copyWriter) WaitWritable() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && c.unsent >= min(c.lowat, copyWriterSize) {
		c.space.Wait()
	}
	return c.err
}

// Unsent is what the system has not taken yet.
func (c *copyWriter) Unsent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unsent
}

// SetLowat sets the mark of WaitWritable.
func (c *copyWriter) SetLowat(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lowat = n
	c.space.Broadcast()
}

// finish calls f once everything that was taken has been written.
func (c *copyWriter) finish(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.atEnd = f
	c.start()
}

// fail ends all writing and wakes who waits.
func (c *copyWriter) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	c.space.Broadcast()
}
