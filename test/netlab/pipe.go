package netlab

import (
	"time"

	"hawser/transport/linksim"
)

// A frame is on its way through a pipe. Times are since the link was made.
type frame struct {
	data   []byte        // of a size class of the link's pool
	at     time.Duration // entered the link
	finish time.Duration // the bottleneck is through with it
	due    time.Duration // leaves the link
	seq    uint64        // keeps frames of the same due time in order
	failed bool          // the receiving interface did not take it
}

// Before orders frames by when they leave the link.
func (f frame) Before(other frame) bool {
	if f.due != other.due {
		return f.due < other.due
	}
	return f.seq < other.seq
}

// maxLine bounds the memory of one direction, in frames that wait or travel.
const maxLine = 65_536

// A pipe is one direction of a link: a queue, a bottleneck that serves one frame after the other at a rate, and a line
// with a delay. It is a pure machine: frames are pushed with the time of their arrival, and popped at or after the time
// they are due. The link's lock guards it.
type pipe struct {
	shape  Shape
	limit  int  // bytes that may wait for the bottleneck, the frame in service included
	dark   bool // loses everything
	chance *chance
	tally  tally
	free   func([]byte) // takes back the memory of dropped frames

	queue   fifo                // waits for the bottleneck; only the first frame has its finish set
	queued  int                 // bytes in queue
	ready   time.Duration       // when the bottleneck is through with what it has served
	line    linksim.Heap[frame] // behind the bottleneck, by due
	lastDue time.Duration       // of the frames in order
	seq     uint64
}

// push lets a frame enter at a time.
func (p *pipe) push(at time.Duration, data []byte) {
	p.tally.counters.InPackets++
	p.tally.counters.InBytes += int64(len(data))
	p.advance(at)
	switch {
	case p.dark:
		p.tally.counters.Drops.BlackHole++
	case p.shape.Rate > 0 && p.queued+len(data) > p.limit, p.queue.len()+len(p.line) >= maxLine:
		p.tally.counters.Drops.Queue++
	default:
		p.queue.push(frame{data: data, at: at})
		p.queued += len(data)
		if p.queue.len() == 1 {
			p.serve()
		}
		return
	}
	p.free(data)
}

// serve starts the bottleneck on the first frame of the queue.
func (p *pipe) serve() {
	f := p.queue.first()
	f.finish = max(p.ready, f.at) + frameTime(p.shape.Rate, len(f.data))
}

// advance moves the frames that the bottleneck has finished by now onto the line.
func (p *pipe) advance(now time.Duration) {
	for p.queue.len() > 0 && p.queue.first().finish <= now {
		f := p.queue.pop()
		p.queued -= len(f.data)
		p.ready = f.finish
		if p.queue.len() > 0 {
			p.serve()
		}
		p.depart(f)
	}
}

// depart puts a frame on the line, or loses it.
func (p *pipe) depart(f frame) {
	if p.chance.lost(&p.shape) {
		p.tally.counters.Drops.Loss++
		p.free(f.data)
		return
	}
	delay := p.shape.Delay
	if p.shape.Jitter > 0 {
		delay += time.Duration(float64(p.shape.Jitter) * p.chance.wander.At(f.finish))
	}
	f.due = max(f.finish+max(delay, 0), p.lastDue)
	p.lastDue = f.due
	f.due += p.chance.held(&p.shape)
	p.seq++
	f.seq = p.seq
	p.line.Push(f)
}

// pop returns the next frame that is due by now; the caller owns its memory.
func (p *pipe) pop(now time.Duration) (frame, bool) {
	p.advance(now)
	if len(p.line) == 0 || p.line[0].due > now {
		return frame{}, false
	}
	return p.line.Pop(), true
}

// setDark turns the loss of everything on or off at now. What is on its way is lost: a cut line holds nothing.
func (p *pipe) setDark(now time.Duration, dark bool) {
	p.dark = dark
	if !dark {
		return
	}
	p.advance(now)
	p.tally.counters.Drops.BlackHole += int64(p.queue.len() + len(p.line))
	for p.queue.len() > 0 {
		p.free(p.queue.pop().data)
	}
	for len(p.line) > 0 {
		p.free(p.line.Pop().data)
	}
	p.queued, p.ready = 0, now
}

// next returns a time before which pop has nothing to give, and whether there is any frame.
func (p *pipe) next() (at time.Duration, ok bool) {
	if p.queue.len() > 0 {
		at, ok = p.queue.first().finish+p.minDelay(), true
	}
	if len(p.line) > 0 && (!ok || p.line[0].due < at) {
		at, ok = p.line[0].due, true
	}
	return at, ok
}

// minDelay is the shortest time from the bottleneck to the end of the line.
func (p *pipe) minDelay() time.Duration { return max(p.shape.Delay-p.shape.Jitter, 0) }
