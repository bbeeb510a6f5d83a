package cc

import "time"

// fullPipe looks for the plateau of the delivery rate that a full path shows (draft-ietf-ccwg-bbr, section 5.3.1.2).
type fullPipe struct {
	bw      int  // baseline
	count   int  // rounds without growth beyond it
	now     bool // full since it was last reset
	reached bool // ever full
}

// reset looks again, from a baseline of bw.
func (p *fullPipe) reset(bw int) { p.bw, p.count, p.now = bw, 0, false }

func (b *bbr) checkFullPipe() {
	p, s := &b.pipe, &b.sample
	if p.now || !b.round.started || s.AppLimited || s.Rate == 0 {
		return
	}
	if float64(s.Rate) >= 1.25*float64(p.bw) {
		p.reset(s.Rate)
		return
	}
	p.count++
	p.now = p.count >= 3
	p.reached = p.reached || p.now
}

func (b *bbr) enterStartup() {
	b.state, b.pacingGain, b.cwndGain = startup, startupPacingGain, defaultCwndGain
}

func (b *bbr) checkStartupDone() {
	b.checkStartupCongestion()
	if b.state == startup && b.pipe.reached {
		b.state, b.pacingGain, b.cwndGain = drain, drainPacingGain, defaultCwndGain
		b.drainStart = b.round.count
	}
}

// checkStartupCongestion ends Startup on heavy loss: a whole round in recovery, more than 2 % of a flight lost, in at
// least six places (section 5.3.1.3); or on marks in two rounds on end.
func (b *bbr) checkStartupCongestion() {
	if !b.loss.roundStart {
		return
	}
	lossy := b.sample.InRecovery && b.loss.events >= fullLossCount &&
		b.tooHigh(b.sample.LostSince, b.sample.SentInFlight)
	if b.loss.marked {
		b.loss.markedRounds++
	} else {
		b.loss.markedRounds = 0
	}
	b.loss.events, b.loss.marked = 0, false
	if b.state == startup && !b.pipe.reached && (lossy || b.loss.markedRounds >= fullECNRounds) {
		b.saved.state, b.saved.left = startup, true
		b.pipe.reached, b.pipe.now = true, true
		b.inflightLong = max(b.bdp(), b.inflightLatest, b.minPipe())
	}
}

// checkDrainDone leaves Drain when the queue should be gone, or after three rounds (section 5.3.2).
func (b *bbr) checkDrainDone(now time.Time) {
	if b.state == drain && (b.sample.InFlight <= b.inflight(b.bdp()) || b.round.count > b.drainStart+3) {
		b.cwndGain = defaultCwndGain
		b.startDown(now)
	}
}
