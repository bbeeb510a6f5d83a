package uplink

import (
	"sync"
	"time"
)

// Constants of the in-flight cap. The cap holds end to end, so that an uplink's queue stays short whatever congestion
// control the kernel runs below.
const (
	// capGain is what may be in flight in one round trip of gainCycle: a quarter more than the bandwidth-delay product
	// finds new capacity at 25 % a cycle. drainGain takes the queue away again in the next, and cruiseGain holds for the
	// others. With capGain all the time a small request took 1.8 times as long under load as idle, so 1.5 times as long.
	capGain    = 1.25
	cruiseGain = 1.1
	gainCycle  = 8
	// startGain doubles the rate each round trip until it stops growing (BBRv3: 2), and overruns no queue of a whole
	// bandwidth-delay product.
	startGain = 2
	// slowGain is used in its place while acknowledgements are late, which a queue and a path of changing length have in
	// common: growth goes on until it is known which (RFC 9406, section 4.2: conservative slow start, a quarter a round trip).
	slowGain = 1.25
	// drainGain empties the path's queue, also when the minimum round trip has to be measured anew.
	drainGain = 0.75
	// capSlack is added to the minimum round trip: acknowledgements of the carrier come in steps and wait for
	// goroutines, which matters on links with round trips far below it, and there only.
	capSlack = time.Millisecond
	// capChunk is the one chunk more that is always allowed.
	capChunk = 16 << 10
	// capStart is the cap before anything is known: the kernel's initial window and what it grows to in two round trips.
	capStart = 64 << 10
	// minRTTWindow is how long a smallest round trip counts (BBR: 10 s).
	minRTTWindow = 10 * time.Second
)

// lateSign is how many acknowledgements in a row must be late before a queue, and not a hole, is taken to have delayed
// them (RFC 9406, section 4.2, takes the least of 8 samples), and lateRounds for how many round trips more before it is
// certain: a path of changing length is at its shortest for a moment within so long.
const (
	lateSign   = 8
	lateRounds = 3
)

// queueSign is the delay beyond the minimum round trip that tells a queue (RFC 9406, section 4.2: an eighth of the round
// trip, between 4 and 16 ms).
func queueSign(minRTT time.Duration) time.Duration {
	return min(max(minRTT/8, 4*time.Millisecond), 16*time.Millisecond)
}

// Entry is the board's line for one uplink towards one peer, shared by the sessions that use it. All methods are safe
// for concurrent use; none blocks for longer than a few arithmetic steps.
type Entry struct {
	key   Key
	users int // guarded by Board.mu

	mu       sync.Mutex
	rate     rateFilter
	extra    extraFilter
	inFlight int
	beyond   int  // of inFlight: arrived beyond a hole
	tells    bool // the system tells of holes
	minRTT   time.Duration
	minRTTAt time.Time
	srtt     time.Duration
	system   window    // what the kernel takes the round trip for, ns
	wander   wander    // of what is not a queue in it
	flight   [2]int    // most bytes in flight in the slot of the rate's window under way, and in the one before
	late     int       // acknowledgements in a row that came late
	draining time.Time // until when the cap is lowered to measure minRTT anew; zero: not

	suspect  time.Time // since when; zero: not suspect
	watchers map[int]func()
	nextID   int

	bytesOut, bytesIn     meter
	segments, retransmits uint64
}

func newEntry(k Key) *Entry { return &Entry{key: k, watchers: make(map[int]func())} }

// Sent puts n bytes in flight and returns the mark for their acknowledgement.
func (e *Entry) Sent(now time.Time, n int) Mark {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.rate.sent(now, e.inFlight)
	e.inFlight += n
	e.bytesOut.add(now, n)
	return m
}

// Acked takes n bytes, whose newest has mark m, out of flight. rtt is the round trip of that newest byte without the
// time for which the peer held the acknowledgement back.
func (e *Entry) Acked(now time.Time, m Mark, n int, rtt time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inFlight = max(0, e.inFlight-n)
	e.roundTrip(now, rtt, m.alone)
	if e.late++; rtt <= e.minRTT+queueSign(e.minRTT) {
		e.late = 0
	}
	turned := e.rate.acked(now, m, n, rtt, e.minRTT, e.late >= lateSign)
	e.extra.acked(now, n, e.rate.rate(), turned)
	if turned {
		e.system.turn()
		e.flight = [2]int{e.flying(), e.flight[0]}
	}
	e.clearSuspect()
}

// RoundTrip takes in a round trip measured by a probe.
func (e *Entry) RoundTrip(now time.Time, rtt time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.roundTrip(now, rtt, e.inFlight == 0)
	e.clearSuspect()
}

func (e *Entry) roundTrip(now time.Time, rtt time.Duration, alone bool) {
	if rtt <= 0 {
		return
	}
	if e.srtt == 0 {
		e.srtt = rtt
	}
	e.srtt += (rtt - e.srtt) / 8
	switch {
	case e.minRTT == 0 || rtt <= e.minRTT, alone && now.Sub(e.minRTTAt) > minRTTWindow:
		e.minRTT, e.minRTTAt, e.draining = rtt, now, time.Time{}
	case !e.draining.IsZero() && now.After(e.draining):
		// The queue had time to drain: what is measured now is the path itself.
		e.minRTT, e.minRTTAt, e.draining = rtt, now, time.Time{}
	case e.draining.IsZero() && now.Sub(e.minRTTAt) > minRTTWindow:
		e.draining = now.Add(2*e.srtt + capSlack)
	}
}

// SystemRTT takes in what the kernel holds the round trip for: a hint, for it may be the round trip to a box that ends
// TCP in the middle. It tells a queue, which delays every segment, from a hole, which delays the byte stream only.
// The deviation of what is not explained by a queue tells a path of changing length.
func (e *Entry) SystemRTT(now time.Time, rtt time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.system.add(int(rtt))
	e.flight[0] = max(e.flight[0], e.flying())
	if e.rate.filled && rtt > 0 {
		e.wander.add(now, max(rtt-e.queue(), e.minRTT))
	}
}

// queue is the longest wait in the path's queue that what was in flight explains, in the slot of the rate's window under
// way and the one before. Called with the lock held.
func (e *Entry) queue() time.Duration {
	rate := e.rate.rate()
	if rate == 0 {
		return 0
	}
	whole := float64(max(e.flight[0], e.flight[1])) / float64(rate)
	return max(time.Duration(whole*float64(time.Second))-e.minRTT, 0)
}

// Beyond adds n, which may be negative, to the bytes in flight that the peer's system has beyond a hole in TCP's byte
// stream. They are on the path no more, although the peer's program cannot read them before the hole is filled: did they
// count, a lost segment would stop an uplink at its cap for a round trip.
func (e *Entry) Beyond(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.beyond = max(0, e.beyond+n)
	e.tells = e.tells || n > 0
}

// flying is what is in flight on the path. Called with the lock held.
func (e *Entry) flying() int { return max(0, e.inFlight-e.beyond) }

// Forget takes n bytes out of flight that will never be acknowledged: their subflow has died.
func (e *Entry) Forget(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inFlight = max(0, e.inFlight-n)
}

// AppLimited says that a session had nothing more to send although the uplink would have taken it, so that the rate
// measured now is the application's.
func (e *Entry) AppLimited() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rate.appLimit(e.inFlight)
}

// Received counts n payload bytes that came in by the uplink.
func (e *Entry) Received(now time.Time, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bytesIn.add(now, n)
}

// Segments adds to the uplink's count of segments sent and sent again.
func (e *Entry) Segments(sent, again uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.segments += sent
	e.retransmits += again
}

// SetSuspect marks the uplink silent and wakes every session that watches it, so that all probe it at once.
func (e *Entry) SetSuspect(now time.Time) {
	e.mu.Lock()
	var wake []func()
	if e.suspect.IsZero() {
		e.suspect = now
		for _, fn := range e.watchers {
			wake = append(wake, fn)
		}
	}
	e.mu.Unlock()
	for _, fn := range wake {
		fn()
	}
}

func (e *Entry) clearSuspect() { e.suspect = time.Time{} }

// Watch calls fn, from any goroutine, when the uplink becomes suspect. fn must not block.
func (e *Entry) Watch(fn func()) (stop func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := e.nextID
	e.nextID++
	e.watchers[id] = fn
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watchers, id)
	}
}
