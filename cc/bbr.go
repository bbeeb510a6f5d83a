package cc

import (
	"math"
	"time"
)

// The constants of draft-ietf-ccwg-bbr, section 2.
const (
	startupPacingGain = 2.77 // 4*ln 2: the least that doubles the rate each round
	drainPacingGain   = 0.5
	defaultCwndGain   = 2.0
	downPacingGain    = 0.9
	upPacingGain      = 1.25
	upCwndGain        = 2.25
	probeRTTCwndGain  = 0.5
	pacingMargin      = 0.99
	lossThresh        = 0.02
	bbrBeta           = 0.7
	headroom          = 0.15
	fullLossCount     = 6 // loss events in a round that end Startup
	fullECNRounds     = 2 // rounds with marks that end Startup
	maxBwFilterLen    = 2 // probing cycles
	extraAckedLen     = filterSlots
	minRTTFilterLen   = 10 * time.Second
	probeRTTInterval  = 5 * time.Second
	probeRTTDuration  = 200 * time.Millisecond
	unlimited         = math.MaxInt
)

// bbrState is a state of the machine of section 5.1.
type bbrState uint8

const (
	startup bbrState = iota
	drain
	probeDown
	probeCruise
	probeRefill
	probeUp
	probeRTT
)

// ackPhase says what acknowledgements tell about probing (section 2.13).
type ackPhase uint8

const (
	acksInit ackPhase = iota
	acksRefilling
	acksProbeStarting
	acksProbeFeedback
	acksProbeStopping
)

// bbr is BBRv3 as draft-ietf-ccwg-bbr specifies it: a model of the path (rate, round-trip time, and what both bear
// in flight) from rate samples, and a cycle that probes it. Names and sections are the draft's; what Linux calls
// inflight_hi, inflight_lo and bw_lo is inflightLong, inflightShort and bwShort there.
//
// A congestion mark (RFC 3168), which the draft leaves open, counts as a loss beyond the threshold.
type bbr struct {
	mss    int
	random random

	state      bbrState
	pacingGain float64
	cwndGain   float64
	pacingRate int
	cwnd       int
	priorCwnd  int
	paced      bool // the pacing rate was set by an RTT sample

	round      rounds
	delivered  int64
	drainStart int  // count of the round in which Drain began
	idle       bool // restarting from idle
	full       fill
	sample     Ack // the acknowledgement being handled

	senderLimited bool // its sample was limited by the application, and not by ProbeRTT alone

	model
	pipe    fullPipe
	probe   bwProbe
	loss    lossRound
	saved   bbrUndo
	probing rttProbe
}

func newBBR(c Config) *bbr {
	b := &bbr{mss: c.MSS, random: random(c.Seed), cwnd: initialWindow(c.MSS)}
	b.inflightLong = unlimited
	b.probe.ackedPerInc = unlimited
	b.probing.limitedUntil = -1
	b.resetShortTerm()
	b.enterStartup()
	// Before any RTT sample: the initial window over 1 ms (section 5.6.2).
	b.pacingRate = clamp(startupPacingGain*float64(b.cwnd)/time.Millisecond.Seconds(), 1, maxRate)
	return b
}

func (b *bbr) OnSend(now time.Time, bytes, inFlight int) {
	b.begin(now)
	if inFlight <= bytes && !b.loss.timedOut {
		b.restartFromIdle(now)
	}
}

// restartFromIdle is HandleRestartFromIdle (section 5.4.1): nothing was in flight, so the path is empty.
func (b *bbr) restartFromIdle(now time.Time) {
	b.idle = true
	b.extraStart, b.extraDelivered = now, 0
	switch {
	case b.inProbeBW():
		b.setPacingRate(1)
	case b.state == probeRTT:
		b.checkProbeRTTDone(now)
	}
}

// OnIdle needs no more than OnSend does: the window stays, and pacing at the estimated rate refills the path.
func (b *bbr) OnIdle(now time.Time, _ time.Duration) {
	b.begin(now)
	b.restartFromIdle(now)
}

func (b *bbr) OnAck(now time.Time, a Ack) {
	b.begin(now)
	a = bounded(a)
	b.senderLimited = a.AppLimited
	a.AppLimited = a.AppLimited || a.PriorDelivered <= b.probing.limitedUntil
	b.sample = a
	b.delivered = max(b.delivered, a.Delivered)
	if a.Bytes == 0 { // an RTT sample and no more
		b.updateMinRTT(now)
		b.firstPacingRate()
		return
	}
	b.loss.timedOut = false
	newRound := b.round.onAck(a)
	if newRound {
		b.probe.roundsSince++
	}
	b.full.onAck(a.WindowLimited, newRound)
	b.updateLatestDelivery()
	b.updateCongestionSignals()
	b.updateAckAggregation(now)
	b.checkFullPipe()
	b.checkStartupDone()
	b.checkDrainDone(now)
	b.updateProbeBW(now)
	b.updateMinRTT(now)
	b.checkProbeRTT(now)
	b.advanceLatestDelivery()
	b.firstPacingRate()
	b.setPacingRate(b.pacingGain)
	b.setCwnd()
}

// begin takes the first time that it is told as the beginning of the flow.
func (b *bbr) begin(now time.Time) {
	if b.minRTTStamp.IsZero() {
		b.minRTTStamp, b.probing.stamp, b.extraStart = now, now, now
	}
}

func (b *bbr) Window() int        { return max(b.cwnd, b.mss) }
func (b *bbr) Rate() int          { return b.pacingRate }
func (b *bbr) OwnsRecovery() bool { return true }
func (b *bbr) Name() string       { return "bbr" }

// random is a small generator (SplitMix64) for waits that should differ between flows; nothing depends on its quality.
type random uint64

// below gives a number of [0, n).
func (r *random) below(n uint64) uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return (z ^ z>>31) % n
}
