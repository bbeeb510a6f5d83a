package plaintest

import (
	"math/rand/v2"
	"time"
)

// Constants of BBR (Cardwell et al., ACM Queue 14(5), 2016), with the values of Linux's version 1.
const (
	bbrHigh      = 2.89
	bbrRounds    = 10 // for which a bandwidth counts
	bbrMinRTTFor = 10 * time.Second
	bbrProbeRTT  = 200 * time.Millisecond
	bbrMargin    = 0.99 // of pacing below the bandwidth
	bbrLeast     = 4 * packetSize
	bbrAggregate = 100 * time.Millisecond // of bandwidth at most for aggregated acknowledgements
)

var bbrCycle = [8]float64{1.25, 0.75, 1, 1, 1, 1, 1, 1}

type bbrMode uint8

const (
	bbrStartup bbrMode = iota
	bbrDrain
	bbrProbeBW
	bbrRTT
)

// bbr paces at the highest delivery rate of ten round trips and keeps two bandwidth-delay products in flight at most.
type bbr struct {
	random *rand.Rand
	mode   bbrMode
	cwnd   float64

	roundEnd uint64
	rounds   int
	rates    []bbrRate // falling rates of the last rounds
	best     float64   // bytes/s

	full  float64 // rate at the last growth
	stale int     // rounds without growth
	pipe  bool    // the pipe was full

	cycle   int
	cycleAt time.Time

	minRTT   time.Duration
	minRTTAt time.Time
	probeEnd time.Time // of the probe for the round trip; zero: the window has not drained yet
	probed   uint64    // delivered count that ends the probe's round
	prior    float64   // window before recovery or probe

	state     phase
	conserve  bool   // first round of a recovery: a byte out for each that arrives
	conserved uint64 // delivered count that ends it

	extraSince time.Time
	extraBytes float64
	extra      [2]float64 // most acknowledged beyond the rate, this epoch's and the last's
	extraRound int
	seen       bool // a round trip was measured
	paced      float64
}

type bbrRate struct {
	round int
	rate  float64
}

func newBBR(random *rand.Rand) *bbr { return &bbr{random: random, cwnd: initialWindow} }

func (b *bbr) ack(now time.Time, a ackInfo) {
	turned := b.turn(a)
	b.bandwidth(a)
	b.aggregation(now, a, turned)
	if b.mode == bbrProbeBW {
		b.advanceCycle(now, a)
	}
	b.watchStart(now, a, turned)
	b.leastRTT(now, a)
	b.resize(a)
	b.pace()
}

// turn ends a round when what was sent after its begin has arrived.
func (b *bbr) turn(a ackInfo) bool {
	if a.rate == 0 && a.prior == 0 && b.rounds > 0 || a.prior < b.roundEnd {
		return false
	}
	b.roundEnd = a.delivered
	b.rounds++
	b.conserve = b.conserve && a.prior < b.conserved
	return true
}

// bandwidth takes in a rate sample; one that the application held down counts only if it is higher.
func (b *bbr) bandwidth(a ackInfo) {
	if a.rate == 0 || a.short && a.rate < b.best {
		return
	}
	for len(b.rates) > 0 && b.rates[len(b.rates)-1].rate <= a.rate {
		b.rates = b.rates[:len(b.rates)-1]
	}
	b.rates = append(b.rates, bbrRate{b.rounds, a.rate})
	for b.rounds-b.rates[0].round > bbrRounds {
		b.rates = b.rates[1:]
	}
	b.best = b.rates[0].rate
}

// aggregation measures what is acknowledged beyond the bandwidth, over five to ten round trips.
func (b *bbr) aggregation(now time.Time, a ackInfo, turned bool) {
	if turned {
		if b.extraRound++; b.extraRound >= 5 {
			b.extraRound, b.extra = 0, [2]float64{0, b.extra[0]}
		}
	}
	expected := b.best * now.Sub(b.extraSince).Seconds()
	if b.extraBytes <= expected || b.extraSince.IsZero() {
		b.extraSince, b.extraBytes, expected = now, 0, 0
	}
	b.extraBytes += float64(a.bytes)
	over := min(b.extraBytes-expected, b.cwnd)
	b.extra[0] = max(b.extra[0], over)
}

// target is gain × the bandwidth-delay product.
func (b *bbr) target(gain float64) float64 {
	if b.minRTT == 0 {
		return initialWindow
	}
	return gain * b.best * b.minRTT.Seconds()
}

func (b *bbr) advanceCycle(now time.Time, a ackInfo) {
	gain := bbrCycle[b.cycle]
	full := now.Sub(b.cycleAt) > b.minRTT
	switch {
	case gain > 1:
		full = full && (a.lost > 0 || float64(a.before) >= b.target(gain))
	case gain < 1:
		full = full || float64(a.before) <= b.target(1)
	}
	if full {
		b.cycle, b.cycleAt = (b.cycle+1)%len(bbrCycle), now
	}
}

func (b *bbr) enterProbeBW(now time.Time) {
	b.mode, b.cycleAt = bbrProbeBW, now
	b.cycle = (len(bbrCycle) - b.random.IntN(len(bbrCycle)-1)) % len(bbrCycle) // anywhere but in the draining part
}

// watchStart looks for the end of the start-up: three rounds without a quarter of growth.
func (b *bbr) watchStart(now time.Time, a ackInfo, turned bool) {
	if !b.pipe && turned && !a.short {
		if b.best >= 1.25*b.full {
			b.full, b.stale = b.best, 0
		} else if b.stale++; b.stale >= 3 {
			b.pipe = true
		}
	}
	if b.mode == bbrStartup && b.pipe {
		b.mode = bbrDrain
	}
	if b.mode == bbrDrain && float64(a.inFlight) <= b.target(1) {
		b.enterProbeBW(now)
	}
}

// leastRTT keeps the least round trip, and drains the path to measure it anew when it is ten seconds old.
func (b *bbr) leastRTT(now time.Time, a ackInfo) {
	old := !b.minRTTAt.IsZero() && now.Sub(b.minRTTAt) > bbrMinRTTFor
	if a.rtt > 0 && (b.minRTT == 0 || a.rtt <= b.minRTT || old) {
		b.minRTT, b.minRTTAt = a.rtt, now
	}
	if old && b.mode != bbrRTT {
		b.mode, b.prior, b.probeEnd = bbrRTT, max(b.cwnd, b.prior), time.Time{}
	}
	if b.mode != bbrRTT {
		return
	}
	switch {
	case b.probeEnd.IsZero() && a.inFlight <= bbrLeast:
		b.probeEnd, b.probed = now.Add(bbrProbeRTT), a.delivered
	case !b.probeEnd.IsZero() && a.prior >= b.probed && now.After(b.probeEnd):
		b.minRTTAt = now
		b.cwnd = max(b.cwnd, b.prior)
		if b.mode = bbrStartup; b.pipe {
			b.enterProbeBW(now)
		}
	}
}

// resize moves the window towards its target.
func (b *bbr) resize(a ackInfo) {
	if a.lost > 0 {
		b.cwnd = max(b.cwnd-float64(a.lost), packetSize)
	}
	switch was := b.state; {
	case a.state == phaseRecovery && was != phaseRecovery:
		b.prior = max(b.cwnd, b.prior)
		b.conserve, b.conserved = true, a.delivered
		b.cwnd = float64(a.inFlight + a.bytes)
	case a.state == phaseOpen && was != phaseOpen:
		b.cwnd = max(b.cwnd, b.prior)
		b.conserve, b.prior = false, 0
	}
	b.state = a.state
	defer func() {
		if b.mode == bbrRTT {
			b.cwnd = min(b.cwnd, bbrLeast)
		}
	}()
	if b.conserve {
		b.cwnd = max(b.cwnd, float64(a.inFlight+a.bytes))
		return
	}
	gain := 2.0
	if b.mode == bbrStartup || b.mode == bbrDrain {
		gain = bbrHigh
	}
	// The quanta that segmentation in the network card needs, as in Linux.
	target := b.target(gain) + 3*b.quantum()
	if b.mode == bbrProbeBW && b.cycle == 0 {
		target += 2 * packetSize
	}
	if b.pipe {
		target += min(max(b.extra[0], b.extra[1]), b.best*bbrAggregate.Seconds())
		b.cwnd = min(b.cwnd+float64(a.bytes), target)
	} else if b.cwnd < target || a.delivered < initialWindow {
		b.cwnd += float64(a.bytes)
	}
	b.cwnd = max(b.cwnd, bbrLeast)
}

func (b *bbr) quantum() float64 {
	return min(max(b.best*burst.Seconds(), 2*packetSize), 64<<10)
}

// pace sets the rate; during the start it only grows, from the initial window in a round trip, however little an
// application has let it measure.
func (b *bbr) pace() {
	if b.minRTT == 0 {
		return
	}
	if !b.seen {
		b.seen, b.paced = true, bbrHigh*initialWindow/b.minRTT.Seconds()
	}
	gain := 1.0
	switch b.mode {
	case bbrStartup:
		gain = bbrHigh
	case bbrDrain:
		gain = 1 / bbrHigh
	case bbrProbeBW:
		gain = bbrCycle[b.cycle]
	}
	rate := gain * bbrMargin * b.best
	if b.pipe || rate > b.paced {
		b.paced = rate
	}
}

func (b *bbr) loss(time.Time, int) {}

func (b *bbr) timeout(time.Time) {
	b.prior = max(b.cwnd, b.prior)
	b.state, b.full, b.cwnd, b.conserve = phaseLoss, 0, packetSize, false
}

// idle is the begin of sending after a pause: at the bandwidth, whatever the phase of the cycle was.
func (b *bbr) idle(time.Duration, time.Duration) {
	if b.mode == bbrProbeBW {
		b.paced = bbrMargin * b.best
	}
}

func (b *bbr) window() int { return int(b.cwnd) }

// rate before anything is measured lets the initial window go over a millisecond.
func (b *bbr) rate() float64 {
	if b.paced > 0 {
		return b.paced
	}
	return bbrHigh * initialWindow / burst.Seconds()
}
