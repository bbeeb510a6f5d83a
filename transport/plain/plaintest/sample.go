package plaintest

import "time"

// mark is the sender's state when a segment left; its acknowledgement makes a rate sample of it
// (draft-cheng-iccrg-delivery-rate-estimation, as in Linux).
type mark struct {
	delivered   uint64
	deliveredAt time.Time
	firstSent   time.Time
	short       bool // the application had too little to send
}

// rateState counts deliveries, in bytes on the wire.
type rateState struct {
	delivered   uint64
	deliveredAt time.Time
	firstSent   time.Time // when the segment acknowledged last had left
	limited     uint64    // delivered count up to which rates are the application's; 0: they are the path's
}

// begin starts anew after a pause, which is no part of a rate.
func (r *rateState) begin(now time.Time) { r.deliveredAt, r.firstSent = now, now }

func (r *rateState) mark() mark { return mark{r.delivered, r.deliveredAt, r.firstSent, r.limited > 0} }

// sample books delivered bytes and makes the part of an acknowledgement that the rate is; newest is the segment sent
// last among them, nil: not known.
func (f *flow) sample(now time.Time, got int, newest *segment) (a ackInfo) {
	r := &f.rate
	r.delivered += uint64(got)
	r.deliveredAt = now
	if r.limited > 0 && r.delivered > r.limited {
		r.limited = 0
	}
	a.bytes, a.delivered = got, r.delivered
	if newest == nil {
		return a
	}
	m := &newest.sending
	span := max(now.Sub(m.deliveredAt), newest.sentAt.Sub(m.firstSent))
	r.firstSent = newest.sentAt
	a.prior, a.short = m.delivered, m.short
	if span >= f.rtt.min && span > 0 {
		a.rate = float64(r.delivered-m.delivered) / span.Seconds()
	}
	return a
}

// latest is the round trip of the newest segment; 0: not measured.
func (a *ackInfo) latest(now time.Time, newest *segment) time.Duration {
	if newest == nil || newest.again {
		return 0
	}
	return now.Sub(newest.sentAt)
}

// rttState is RFC 6298 §2 and the least round trip.
type rttState struct {
	srtt, rttvar, min time.Duration
}

func (r *rttState) add(_ time.Time, rtt time.Duration) {
	if rtt == 0 {
		return
	}
	if r.min == 0 || rtt < r.min {
		r.min = rtt
	}
	if r.srtt == 0 {
		r.srtt, r.rttvar = rtt, rtt/2
		return
	}
	r.rttvar += ((r.srtt - rtt).Abs() - r.rttvar) / 4
	r.srtt += (rtt - r.srtt) / 8
}
