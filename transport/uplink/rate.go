package uplink

import "time"

// The delivery rate is the maximum of the samples in a window of rateSlots slots, each as long as the smallest round
// trip and not shorter than rateSlot: ten round trips as in BBR (Cardwell et al., ACM Queue 14(5), 2016, "estimating
// parameters"), but counted by the clock. BBR counts rounds, which the queue itself makes longer: an uplink whose rate
// falls to an eighth would keep its old, now far too large cap for seconds.
const (
	rateSlots = 10
	rateSlot  = 100 * time.Millisecond
)

// Mark is the state of an uplink when a range was sent: its acknowledgement makes a delivery rate sample of it, in the
// manner of draft-cheng-iccrg-delivery-rate-estimation, but over all sessions of the uplink.
type Mark struct {
	Sent        time.Time // when the range was given to the carrier
	delivered   uint64
	deliveredAt time.Time
	firstSent   time.Time
	appLimited  bool
	alone       bool // nothing was in flight before it
}

// rateFilter estimates the delivery rate of an uplink.
type rateFilter struct {
	delivered   uint64    // bytes acknowledged so far
	deliveredAt time.Time // when that last grew
	firstSent   time.Time // send time of the range acknowledged last
	limited     uint64    // samples are application-limited until delivered passes this

	best      window // bytes/s
	slotBegin time.Time
	roundEnd  uint64
	fullRate  int // what the rate was when it last grew by a quarter
	fullCount int // rounds without such growth
	lateCount int // rounds in a row at whose ends acknowledgements were late
	filled    bool
}

// sent returns the mark for bytes that are put in flight now; inFlight counts what was there before them.
func (r *rateFilter) sent(now time.Time, inFlight int) Mark {
	if inFlight == 0 {
		r.firstSent, r.deliveredAt = now, now
	}
	return Mark{
		Sent: now, delivered: r.delivered, deliveredAt: r.deliveredAt, firstSent: r.firstSent,
		appLimited: r.delivered < r.limited, alone: inFlight == 0,
	}
}

// appLimit says that the application, not the path, holds sending back.
func (r *rateFilter) appLimit(inFlight int) { r.limited = r.delivered + uint64(inFlight) + 1 }

// acked takes in the acknowledgement of n bytes, m being the mark of the newest of them and rtt its round trip, and
// reports whether a slot of the window has ended. With late it and the ones before it came late.
func (r *rateFilter) acked(now time.Time, m Mark, n int, rtt, minRTT time.Duration, late bool) bool {
	r.delivered += uint64(n)
	r.deliveredAt = now
	if m.Sent.After(r.firstSent) {
		r.firstSent = m.Sent
	}
	if m.delivered >= r.roundEnd {
		r.roundEnd = r.delivered
		r.watchLateness(late)
		if !m.appLimited {
			r.watchStart(rtt > minRTT+minRTT/4+capSlack)
		}
	}
	turned := r.turn(now, max(minRTT, rateSlot), m.appLimited)
	interval := max(m.Sent.Sub(m.firstSent), now.Sub(m.deliveredAt))
	// A sample over less than a round trip is the artefact of a burst or of a compressed acknowledgement.
	if interval <= 0 || interval < minRTT {
		return turned
	}
	sample := int(float64(r.delivered-m.delivered) / interval.Seconds())
	if !m.appLimited || sample > r.rate() {
		r.best.add(sample)
	}
	return turned
}

// turn begins new slots. Time in which the application holds sending back does not age the window, so that an idle
// uplink keeps what is known of it.
func (r *rateFilter) turn(now time.Time, length time.Duration, appLimited bool) bool {
	if appLimited || r.slotBegin.IsZero() {
		r.slotBegin = now
		return false
	}
	n := int(now.Sub(r.slotBegin) / length)
	for range min(n, rateSlots-1) { // the newest slot always keeps its samples
		r.best.turn()
	}
	if n > 0 {
		r.slotBegin = now
	}
	return n > 0
}

// watchStart looks for the end of the start-up, once a round trip: three without a quarter of growth mean that the
// pipe is full (BBR's "full pipe" rule); one is enough when a queue has formed.
func (r *rateFilter) watchStart(queued bool) {
	rate := r.rate()
	if r.filled || rate == 0 {
		return
	}
	if rate >= r.fullRate+r.fullRate/4 {
		r.fullRate, r.fullCount = rate, 0
		return
	}
	r.fullCount++
	r.filled = queued || r.fullCount >= 3
}

// watchLateness ends the start-up, once a round trip, on a queue that stays, whatever the application does.
func (r *rateFilter) watchLateness(late bool) {
	if r.lateCount++; !late {
		r.lateCount = 0
	}
	r.filled = r.filled || r.lateCount >= lateRounds
}

// rate is the maximum of the window in bytes/s, 0 before the first sample.
func (r *rateFilter) rate() int { return r.best.max() }

// window is a maximum over the last slots.
type window struct {
	slots [rateSlots]int
	slot  int
}

func (w *window) add(v int) { w.slots[w.slot] = max(w.slots[w.slot], v) }

// turn begins a new slot and forgets the oldest.
func (w *window) turn() {
	w.slot = (w.slot + 1) % rateSlots
	w.slots[w.slot] = 0
}

func (w *window) max() int {
	best := 0
	for _, v := range w.slots {
		best = max(best, v)
	}
	return best
}
