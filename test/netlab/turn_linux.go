package netlab

import (
	"time"

	"golang.org/x/sys/unix"
)

// A sleepMode says what ends the thread's sleep besides time.
type sleepMode uint8

const (
	untilFrame  sleepMode = iota // a frame that arrives
	untilChange                  // only a change of the link
)

// turn takes what has arrived, hands over what is due, and returns how long the thread may sleep (negative: for ever)
// and what wakes it.
func (w *wire) turn() (time.Duration, sleepMode) {
	more := w.receive()
	if !more { // else frames that have come before a stage's time may still be in a socket
		w.wakeStages()
	}
	for side := range w.ends {
		more = w.deliver(Side(side)) || more
	}
	if more {
		return 0, untilFrame
	}
	return w.plan()
}

// wakeStages lets the stages act whose time has come.
func (w *wire) wakeStages() {
	now := time.Now()
	for side := range w.ends {
		w.ends[side].chain.wake(now)
	}
}

// receive takes a batch of frames from each side.
func (w *wire) receive() (more bool) {
	wall := time.Now()
	epoch := wall.UnixNano() - int64(wall.Sub(w.epoch)) // zero of the pipes' time, in today's wall clock
	for side := range w.ends {
		left, err := w.ends[side].socket.receive(func(stamp int64, b []byte) []byte {
			at := time.Duration(stamp - epoch)
			if stamp == 0 {
				at = time.Since(w.epoch)
			}
			w.enter(Side(side), at, b)
			return w.alloc()
		})
		if err != nil {
			w.fail(err)
		}
		more = more || left
	}
	return more
}

// enter lets a frame from the host on a side into the link. It owns the frame's memory.
func (w *wire) enter(side Side, at time.Duration, b []byte) {
	e := &w.ends[side]
	answer, asked := answerNeighbour(e.answer[:0], b, w.ends[side.other()].mac)
	e.answer = answer
	switch {
	case asked:
		if len(answer) > 0 {
			w.hand(side, []frame{{data: answer}})
		}
		w.recycle(b)
	case len(e.chain.stages) == 0:
		e.pipe.push(at, b)
	default:
		e.chain.handle(w.epoch.Add(at), b)
		w.recycle(b)
	}
}

// deliver hands over due frames of the direction that starts at a side, at most half a batch of them so that the other
// direction is not late; more is true when there may be others.
func (w *wire) deliver(from Side) (more bool) {
	p, to := w.ends[from].pipe, &w.ends[from.other()]
	now := time.Since(w.epoch)
	to.due = to.due[:0]
	for len(to.due) < batch/2 {
		f, ok := p.pop(now)
		if !ok {
			break
		}
		to.due = append(to.due, f)
	}
	w.hand(from.other(), to.due)
	for _, f := range to.due {
		if f.failed {
			p.tally.counters.Drops.Down++
		} else {
			p.tally.deliver(now, f.due, len(f.data))
			for _, tap := range to.taps {
				tap(w.epoch.Add(now), f.data)
			}
		}
		w.recycle(f.data)
	}
	return len(to.due) == batch/2
}

// hand gives frames to the host on a side.
func (w *wire) hand(to Side, frames []frame) {
	if err := w.ends[to].socket.send(frames); err != nil {
		w.fail(err)
	}
}

// plan returns how long the thread may sleep. While frames travel on links that take long, it sleeps through arrivals:
// the kernel has noted their time, and half as many wake-ups do.
func (w *wire) plan() (time.Duration, sleepMode) {
	next, lag := time.Duration(-1), maxLag
	for side := range w.ends {
		p := w.ends[side].pipe
		if at, ok := p.next(); ok && (next < 0 || at < next) {
			next = at
		}
		lag = min(lag, p.minDelay()/2)
	}
	travelling := next >= 0
	for side := range w.ends {
		if at, _ := w.ends[side].chain.deadline(); !at.IsZero() {
			due := max(at.Sub(w.epoch), 0)
			if next < 0 || due < next {
				next = due
			}
		}
	}
	if next < 0 {
		return -1, untilFrame
	}
	wait := max(next-time.Since(w.epoch), quantum)
	if !travelling || lag < 2*quantum {
		return wait, untilFrame
	}
	return min(wait, lag), untilChange
}

// sleep waits. Called without the lock; the descriptors are closed by this thread only.
func (w *wire) sleep(wait time.Duration, mode sleepMode) {
	fds := []unix.PollFd{
		{Fd: int32(w.wake), Events: unix.POLLIN},
		{Fd: int32(w.ends[SideA].socket.fd), Events: unix.POLLIN},
		{Fd: int32(w.ends[SideB].socket.fd), Events: unix.POLLIN},
	}
	if mode == untilChange {
		fds = fds[:1]
	}
	var timeout *unix.Timespec
	if wait >= 0 {
		ts := unix.NsecToTimespec(int64(wait))
		timeout = &ts
	}
	if n, err := unix.Ppoll(fds, timeout, nil); err == nil && n > 0 && fds[0].Revents != 0 {
		var count [8]byte
		_, _ = unix.Read(w.wake, count[:])
	}
}
