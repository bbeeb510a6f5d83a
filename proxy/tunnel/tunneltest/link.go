// Package tunneltest is an in-memory twin of what a tunnel runs on, for tests: two ends joined by a line with a rate, a
// delay and a bounded send buffer, which can be stalled and cut. Inside a testing/synctest bubble its times are exact.
package tunneltest

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// ErrAborted is what both ends give after Abort.
var ErrAborted = errors.New("tunneltest: aborted")

// chunkSize is the most that travels as one piece, bytes.
const chunkSize = 16 << 10

// Line says what a line is like.
type Line struct {
	Rate   int           // bytes/s each way; 0: without limit
	Delay  time.Duration // one way
	Buffer int           // bytes written and not yet sent above which Write waits; 0: 64 kB

	Encrypts bool // what Conn.Encrypts reports; the bytes are in clear all the same
}

// chunk is on its way or waits to be read.
type chunk struct {
	b      []byte
	leaves time.Time // when the last byte has been sent
	comes  time.Time // when it can be read
}

// half is one direction. Everything is guarded by mu; changed is closed and replaced when something happens.
type half struct {
	line Line

	mu      sync.Mutex
	changed chan struct{}
	chunks  []chunk
	idle    time.Time // when the line has sent everything
	fin     bool
	err     error // both sides see it at once
	stalled bool
	total   int64
}

func newHalf(l Line) *half {
	if l.Buffer == 0 {
		l.Buffer = 64 << 10
	}
	return &half{line: l, changed: make(chan struct{})}
}

// signal wakes whoever waits. Under mu.
func (h *half) signal() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// backlog is how much waits to be sent. Under mu.
func (h *half) backlog(now time.Time) int {
	n := 0
	for _, c := range h.chunks {
		if h.stalled || c.leaves.After(now) {
			n += len(c.b)
		}
	}
	return n
}

// await unlocks, sleeps until something changes, the moment comes or the deadline passes, and locks again.
func (h *half) await(until time.Time, d *deadline) error {
	changed := h.changed
	h.mu.Unlock()
	defer h.mu.Lock()
	var timer <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-changed:
	case <-timer:
	case <-d.wait():
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (h *half) write(b []byte, d *deadline) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	total := 0
	for total < len(b) {
		now := time.Now()
		switch {
		case h.err != nil:
			return total, h.err
		case h.fin:
			return total, net.ErrClosed
		case d.passed():
			return total, os.ErrDeadlineExceeded
		case h.backlog(now) >= h.line.Buffer:
			until := time.Time{}
			if !h.stalled {
				until = h.nextLeave(now)
			}
			if err := h.await(until, d); err != nil {
				return total, err
			}
			continue
		}
		n := min(len(b)-total, chunkSize)
		h.send(now, b[total:total+n])
		total += n
	}
	return total, nil
}

func (h *half) nextLeave(now time.Time) time.Time {
	for _, c := range h.chunks {
		if c.leaves.After(now) {
			return c.leaves
		}
	}
	return now
}

// send puts a piece on the line. Under mu.
func (h *half) send(now time.Time, b []byte) {
	start := now
	if h.idle.After(start) {
		start = h.idle
	}
	if h.line.Rate > 0 {
		start = start.Add(time.Duration(float64(len(b)) / float64(h.line.Rate) * float64(time.Second)))
	}
	h.idle = start
	h.total += int64(len(b))
	h.chunks = append(h.chunks, chunk{append([]byte(nil), b...), start, start.Add(h.line.Delay)})
	h.signal()
}

func (h *half) read(b []byte, d *deadline) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		now := time.Now()
		until := time.Time{}
		switch {
		case h.err != nil:
			return 0, h.err
		case d.passed():
			return 0, os.ErrDeadlineExceeded
		case h.stalled:
		case len(h.chunks) == 0 && h.fin:
			return 0, io.EOF
		case len(h.chunks) > 0 && !h.chunks[0].comes.After(now):
			return h.take(b), nil
		case len(h.chunks) > 0:
			until = h.chunks[0].comes
		}
		if err := h.await(until, d); err != nil {
			return 0, err
		}
	}
}

// take copies from the first piece. Under mu.
func (h *half) take(b []byte) int {
	n := copy(b, h.chunks[0].b)
	if h.chunks[0].b = h.chunks[0].b[n:]; len(h.chunks[0].b) == 0 {
		h.chunks = h.chunks[1:]
	}
	h.signal()
	return n
}

func (h *half) update(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	h.signal()
}

// end breaks the direction with err unless it has ended.
func (h *half) end(err error) {
	h.update(func() {
		if h.err == nil {
			h.err = err
		}
	})
}
