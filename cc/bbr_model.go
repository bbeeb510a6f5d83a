package cc

import "time"

// model is what BBR knows of the path (draft-ietf-ccwg-bbr, section 5.5).
type model struct {
	bwFilter maxFilter // delivery rate, a slot for each probing cycle
	bwShort  int       // bound on bw while the path shows congestion (bw_lo), bytes/s

	minRTT      time.Duration // 0: no sample
	minRTTStamp time.Time

	inflightLong  int // most in flight that the last probes found tolerable (inflight_hi)
	inflightShort int // bound on it while the path shows congestion (inflight_lo)

	bwLatest, inflightLatest int // best of the last round

	extraFilter    maxFilter // bytes acknowledged beyond the rate, a slot for each round
	extraStart     time.Time
	extraDelivered int
	extraAcked     int
}

func (m *model) maxBw() int { return m.bwFilter.max(maxBwFilterLen) }

// bw is the rate that suits the path now.
func (m *model) bw() int { return min(m.maxBw(), m.bwShort) }

// bdp is bw times the smallest RTT, 0 without a sample.
func (m *model) bdp() int {
	return clamp(float64(m.bw())*m.minRTT.Seconds(), 0, maxWindow)
}

// updateLatestDelivery begins the handling of an acknowledgement (section 5.5.10.3).
func (b *bbr) updateLatestDelivery() {
	b.loss.roundStart = false
	b.bwLatest = max(b.bwLatest, b.sample.Rate)
	b.inflightLatest = max(b.inflightLatest, b.volume())
	if b.sample.PriorDelivered >= b.loss.roundEnd {
		b.loss.roundEnd = b.delivered
		b.loss.roundStart = true
	}
}

// advanceLatestDelivery ends it.
func (b *bbr) advanceLatestDelivery() {
	if b.loss.roundStart {
		b.bwLatest, b.inflightLatest = b.sample.Rate, b.volume()
	}
}

// volume is RS.delivered: what was delivered since the newest delivered segment was sent.
func (b *bbr) volume() int { return int(min(b.sample.Delivered-b.sample.PriorDelivered, maxWindow)) }

// updateMaxBw leaves out what the application limited, unless it shows more than is known (section 5.5.5).
func (b *bbr) updateMaxBw() {
	if s := &b.sample; s.Rate > 0 && (s.Rate >= b.maxBw() || !s.AppLimited) {
		b.bwFilter.put(s.Rate)
	}
}

// updateAckAggregation measures how far acknowledgements run ahead of the rate (section 5.5.9).
func (b *bbr) updateAckAggregation(now time.Time) {
	if b.round.started {
		b.extraFilter.advance(1)
	}
	expected := b.expected(now)
	if b.extraDelivered <= expected {
		b.extraDelivered, b.extraStart, expected = 0, now, 0
	}
	b.extraDelivered = min(b.extraDelivered+b.sample.Bytes, maxWindow)
	b.extraFilter.put(min(b.extraDelivered-expected, b.cwnd))
	length := 1
	if b.pipe.reached {
		length = extraAckedLen
	}
	b.extraAcked = b.extraFilter.max(length)
}

// expected is what bw delivers in the current interval.
func (b *bbr) expected(now time.Time) int {
	return clamp(float64(b.bw())*now.Sub(b.extraStart).Seconds(), 0, maxWindow)
}

// updateMinRTT keeps two filters: 5 s, to know when ProbeRTT is due, and 10 s, the estimate (section 5.3.4.3).
func (b *bbr) updateMinRTT(now time.Time) {
	p := &b.probing
	p.expired = now.Sub(p.stamp) > probeRTTInterval
	if rtt := b.sample.RTT; rtt > 0 && (p.minDelay == 0 || rtt < p.minDelay || p.expired) {
		p.minDelay, p.stamp = rtt, now
	}
	if p.minDelay > 0 && (b.minRTT == 0 || p.minDelay < b.minRTT || now.Sub(b.minRTTStamp) > minRTTFilterLen) {
		b.minRTT, b.minRTTStamp = p.minDelay, p.stamp
	}
}

func (m *model) resetShortTerm() { m.bwShort, m.inflightShort = unlimited, unlimited }
