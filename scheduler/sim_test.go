package scheduler

import (
	"cmp"
	"slices"
	"testing"
	"time"
)

// link is an emulated uplink with a queue without end: what is in flight is bounded by the sender's credit alone.
type link struct {
	mbit    float64
	delay   time.Duration // one way
	backup  bool
	suspect func(now time.Duration) bool // nil: never
	cold    bool                         // nothing was measured but the handshake's round trip
	jitter  time.Duration                // at most so much is added to the way, without reordering

	free     time.Duration // when the last byte given to it has left
	inFlight int
	srtt     time.Duration
	rttvar   time.Duration
	measured bool
	last     time.Duration // arrival of the chunk before
	random   uint32
	carried  int                            // bytes, after the start of measurement
	onSend   func(now time.Duration, n int) // nil: nothing
}

// event is something that happens at a time: a chunk arrives, an acknowledgement arrives, data comes to wait.
type event struct {
	at time.Duration
	do func()
}

// world is one sender, its links and its receiver, without a clock: time jumps from event to event.
type world struct {
	sched   Scheduler
	links   []*link
	window  int           // of the receiver, bytes; 0: without bound
	total   int           // bytes to send; 0: without end
	pace    float64       // bytes/s that the application writes; 0: as fast as it may
	warm    time.Duration // start of measurement
	now     time.Duration
	events  []event
	next    int // first byte not given to a link
	written int
	acked   int // known to the sender
	inOrder int // at the receiver
	held    map[int]int
	goodput int // in-order bytes after the start of measurement
	done    time.Duration
}

const (
	simChunk  = 16 << 10
	simBuffer = 64 << 10 // what the session lets wait
	simRoom   = 64 << 10 // what the local system lets wait
)

var epoch = time.Unix(1_000_000, 0)

// run lets the world turn until the time given or the end of the transfer.
func (w *world) run(until time.Duration) {
	w.held = map[int]int{}
	for _, l := range w.links {
		l.srtt, l.measured = 2*l.delay, !l.cold
	}
	if w.pace > 0 {
		w.write()
	}
	w.send()
	for len(w.events) > 0 && w.events[0].at <= until && (w.total == 0 || w.inOrder < w.total) {
		e := w.events[0]
		w.events = w.events[1:]
		w.now = e.at
		e.do()
		w.send()
	}
}

// after schedules an event, behind those of the same time.
func (w *world) after(d time.Duration, do func()) {
	e := event{at: w.now + d, do: do}
	i, _ := slices.BinarySearchFunc(w.events, e, func(x, e event) int { return cmp.Or(cmp.Compare(x.at, e.at), -1) })
	w.events = slices.Insert(w.events, i, e)
}

// write is the paced application: a chunk at a time.
func (w *world) write() {
	w.written += simChunk
	w.after(seconds(simChunk/w.pace), w.write)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// send gives chunks to links as long as the scheduler picks some.
func (w *world) send() {
	for {
		left := simBuffer
		switch {
		case w.pace > 0:
			left = w.written - w.next
		case w.total > 0:
			left = w.total - w.next
		}
		window := 1 << 30
		if w.window > 0 {
			window = w.window - (w.next - w.acked)
		}
		size := min(simChunk, left, window)
		if size <= 0 {
			return
		}
		c := Chunk{Size: size, Backlog: min(left, simBuffer), Window: window, Avoid: -1}
		c.Loaded = w.pace == 0 && (w.total == 0 || left > simBuffer) || left >= simBuffer
		picks := w.sched.Pick(epoch.Add(w.now), w.view(), c, nil)
		if len(picks) == 0 {
			return
		}
		for _, id := range picks {
			w.carry(w.links[id], w.next, size)
		}
		w.next += size
	}
}

// view is what the scheduler sees.
func (w *world) view() []Path {
	var ps []Path
	for i, l := range w.links {
		unsent := int(max(l.free-w.now, 0).Seconds() * l.bytes())
		p := Path{ID: i, Room: simRoom - unsent, Credit: 64<<10 - l.inFlight, SRTT: l.srtt, MinRTT: 2 * l.delay,
			RTTVar: l.rttvar, InFlight: l.inFlight, Unsent: unsent, Backup: l.backup}
		if l.measured {
			p.Rate = int(l.bytes())
			p.Credit = int(1.25*l.bytes()*p.MinRTT.Seconds()) + simChunk - l.inFlight
		}
		p.Suspect = l.suspect != nil && l.suspect(w.now)
		ps = append(ps, p)
	}
	return ps
}

func (l *link) bytes() float64 { return l.mbit * 1e6 / 8 }

// spread is the next pseudo-random part of the jitter.
func (l *link) spread() time.Duration {
	l.random = l.random*1664525 + 1013904223
	return l.jitter * time.Duration(l.random>>16) >> 16
}

// carry brings a chunk over a link, and the acknowledgements back: on the link itself, and on the quickest one.
func (w *world) carry(l *link, dsn, n int) {
	if l.onSend != nil {
		l.onSend(w.now, n)
	}
	sent := w.now
	l.free = max(l.free, w.now) + seconds(float64(n)/l.bytes())
	l.inFlight += n
	if w.now >= w.warm {
		l.carried += n
	}
	back := l.delay
	for _, o := range w.links {
		back = min(back, o.delay)
	}
	w.after(l.free-w.now, func() {}) // the sender hears of room in the local system
	l.last = max(l.last, l.free+l.delay+l.spread())
	w.after(l.last-w.now, func() {
		w.arrive(dsn, n)
		ack := w.inOrder
		w.after(back, func() { w.acked = max(w.acked, ack) })
		w.after(l.delay, func() {
			l.inFlight -= n
			l.measured = true
			rtt := w.now - sent
			l.rttvar += ((rtt - l.srtt).Abs() - l.rttvar) / 4 // RFC 6298
			l.srtt += (rtt - l.srtt) / 8
		})
	})
}

// arrive is the receiver's reassembly.
func (w *world) arrive(dsn, n int) {
	w.held[dsn] = n
	for {
		n, ok := w.held[w.inOrder]
		if !ok {
			return
		}
		delete(w.held, w.inOrder)
		w.inOrder += n
		if w.now >= w.warm {
			w.goodput += n
		}
		w.done = w.now
	}
}

// rate runs a bulk transfer over links and returns its goodput in Mbit/s, from 1 s to 5 s.
func rate(s Scheduler, window int, links ...*link) float64 {
	w := &world{sched: s, links: links, window: window, warm: time.Second}
	w.run(5 * time.Second)
	return float64(w.goodput) * 8 / 4 / 1e6
}

// finish runs a transfer of n bytes over links and returns how long it took.
func finish(s Scheduler, n int, links ...*link) time.Duration {
	w := &world{sched: s, links: links, total: n}
	w.run(time.Minute)
	return w.done
}

// clone makes links as they are at the start.
func clone(links ...link) (out []*link) {
	for _, l := range links {
		out = append(out, &l)
	}
	return out
}

// The simulation itself must be right before anything can be read from it.
func TestSimulationOfOneLink(t *testing.T) {
	for _, name := range Names() {
		s, err := New(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := rate(s, 0, clone(link{mbit: 40, delay: 10 * time.Millisecond})...); got < 39.5 || got > 40.5 {
			t.Errorf("%s fills a link of 40 Mbit/s with %.1f", name, got)
		}
		s, _ = New(name)
		// serialization and one way
		want := seconds(64e3*8/40e6) + 10*time.Millisecond
		if got := finish(s, 64e3, clone(link{mbit: 40, delay: 10 * time.Millisecond})...); got < want || got > want+time.Microsecond {
			t.Errorf("%s takes %v for 64 kB, want %v", name, got, want)
		}
	}
}
