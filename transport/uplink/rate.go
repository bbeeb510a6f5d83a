package uplink

import "time"

// rateRounds is the length of the delivery rate's maximum filter in round trips, as in BBR (Cardwell et al., ACM
// Queue 14(5), 2016, "estimating parameters").
const rateRounds = 10

// Mark is the state of an uplink when a range was sent: its acknowledgement makes a delivery rate sample of it, in the
// manner of draft-cheng-iccrg-delivery-rate-estimation, but over all sessions of the uplink.
type Mark struct {
	Sent        time.Time // when the range was given to the carrier
	delivered   uint64
	deliveredAt time.Time
	firstSent   time.Time
	appLimited  bool
}

// rateFilter estimates the delivery rate of an uplink: the maximum of the samples of the last rounds.
type rateFilter struct {
	delivered   uint64    // bytes acknowledged so far
	deliveredAt time.Time // when that last grew
	firstSent   time.Time // send time of the range acknowledged last
	limited     uint64    // samples are application-limited until delivered passes this

	rounds    [rateRounds]int // maximum of each of the last rounds, bytes/s
	round     int
	roundEnd  uint64
	fullRate  int // what the rate was when it last grew by a quarter
	fullCount int // rounds without such growth
	filled    bool
}

// sent returns the mark for bytes that are put in flight now; inFlight counts what was there before them.
func (r *rateFilter) sent(now time.Time, inFlight int) Mark {
	if inFlight == 0 {
		r.firstSent, r.deliveredAt = now, now
	}
	return Mark{
		Sent: now, delivered: r.delivered, deliveredAt: r.deliveredAt, firstSent: r.firstSent,
		appLimited: r.delivered < r.limited,
	}
}

// appLimit says that the application, not the path, holds sending back.
func (r *rateFilter) appLimit(inFlight int) { r.limited = r.delivered + uint64(inFlight) + 1 }

// acked takes in the acknowledgement of n bytes, m being the mark of the newest of them, and reports whether a
// round trip has ended.
func (r *rateFilter) acked(now time.Time, m Mark, n int, minRTT time.Duration) bool {
	r.delivered += uint64(n)
	r.deliveredAt = now
	if m.Sent.After(r.firstSent) {
		r.firstSent = m.Sent
	}
	ended := m.delivered >= r.roundEnd
	if ended {
		r.endRound(m.appLimited)
	}
	interval := max(m.Sent.Sub(m.firstSent), now.Sub(m.deliveredAt))
	// A sample over less than a round trip is the artefact of a burst or of a compressed acknowledgement.
	if interval <= 0 || interval < minRTT {
		return ended
	}
	sample := int(float64(r.delivered-m.delivered) / interval.Seconds())
	if !m.appLimited || sample > r.rate() {
		cell := &r.rounds[r.round%rateRounds]
		*cell = max(*cell, sample)
	}
	return ended
}

// endRound begins a new round and watches for the end of the start-up: three rounds without a quarter of growth mean
// that the pipe is full (BBR's "full pipe" rule). Rounds held back by the application count neither way, and do not
// age the filter, so that an idle uplink keeps what is known of it.
func (r *rateFilter) endRound(appLimited bool) {
	r.roundEnd = r.delivered
	if appLimited {
		return
	}
	rate := r.rate()
	r.round++
	r.rounds[r.round%rateRounds] = 0
	if r.filled {
		return
	}
	if rate >= r.fullRate+r.fullRate/4 {
		r.fullRate, r.fullCount = rate, 0
		return
	}
	if r.fullCount++; r.fullCount >= 3 && rate > 0 {
		r.filled = true
	}
}

// rate is the maximum of the last rounds in bytes/s, 0 before the first sample.
func (r *rateFilter) rate() int {
	best := 0
	for _, v := range r.rounds {
		best = max(best, v)
	}
	return best
}
