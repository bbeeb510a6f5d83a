package tcp

import (
	"time"

	"hawser/cc"
)

// sentSample is what a span carries for the rate sample (draft-cheng-iccrg-delivery-rate-estimation §3.2: P.*).
type sentSample struct {
	delivered   int64
	deliveredAt instant
	firstAt     instant
	appLimited  bool
	inFlight    int // when it left, itself included
}

// rateSampler is the connection's part of it (C.*).
type rateSampler struct {
	delivered   int64
	deliveredAt instant
	firstAt     instant
	limitedTo   int64 // C.app_limited: delivered up to here means that the application was the limit; 0: it is not

	best          sentSample // of the most recently sent span that the acknowledgement in hand delivers
	bestSentAt    instant
	bestEnd       int64
	windowLimited bool
	idleSince     instant // when the last byte was acknowledged and nothing was left to send; 0: busy
}

func (r *rateSampler) begin(now instant) { r.deliveredAt, r.firstAt = now, now }

// rateSent is UpdateRateSample's sending half: OnPacketSent of §3.2.
func (m *Machine) rateSent(sp *span) {
	r := &m.rate
	if m.board.pipe-sp.len() <= 0 {
		r.firstAt, r.deliveredAt = m.now, m.now
	}
	sp.sample = sentSample{
		delivered: r.delivered, deliveredAt: r.deliveredAt, firstAt: r.firstAt,
		appLimited: r.limitedTo != 0, inFlight: m.board.inFlight(),
	}
}

// rateDelivered is UpdateRateSample of §3.3, for each span that is acknowledged in any way.
func (m *Machine) rateDelivered(sp *span) {
	r := &m.rate
	r.delivered += int64(sp.len())
	r.deliveredAt = m.now
	if r.bestSentAt == 0 || sentAfter(sp.sentAt, sp.end, r.bestSentAt, r.bestEnd) {
		r.best, r.bestSentAt, r.bestEnd = sp.sample, sp.sentAt, sp.end
		r.firstAt = sp.sentAt
	}
}

// rateSample is GenerateRateSample of §3.3.
func (m *Machine) rateSample(a *cc.Ack) {
	r := &m.rate
	if r.limitedTo != 0 && r.delivered > r.limitedTo {
		r.limitedTo = 0 // "Clear app-limited field if bubble is ACKed and gone"
	}
	if r.bestSentAt == 0 {
		return
	}
	sent, acked := r.bestSentAt-r.best.firstAt, r.deliveredAt-r.best.deliveredAt
	a.PriorDelivered, a.AppLimited = r.best.delivered, r.best.appLimited
	// "interval = max(send_elapsed, ack_elapsed)"; one below the least round trip is an artefact of lost timing
	if d := max(sent, acked); d >= m.rtt.min.value && d > 0 {
		a.Rate = int(float64(r.delivered-r.best.delivered) * float64(time.Second) / float64(d))
	}
	r.bestSentAt = 0
}

// appLimited notes that there was nothing to send though there was room (§3.4).
func (m *Machine) appLimited() {
	m.rate.limitedTo = max(m.rate.delivered+int64(m.board.inFlight()), 1)
}

// wake tells the controller of an idle time before the first bytes after it (RFC 7661 §4.4).
func (m *Machine) wake() {
	r := &m.rate
	if !m.board.empty() {
		return
	}
	m.rto.progressAt = m.now
	if idle := m.now - r.idleSince; r.idleSince != 0 && idle >= m.rto.base {
		m.control.OnIdle(m.wall, idle)
		m.pace.next = m.now
	}
	r.idleSince = 0
}
