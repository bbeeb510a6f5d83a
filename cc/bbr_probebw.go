package cc

import "time"

// bwProbe is where the flow stands in the cycle that probes for bandwidth (draft-ietf-ccwg-bbr, section 5.3.3).
type bwProbe struct {
	phase         ackPhase
	feedback      bool // samples come from a probing phase (is_bw_probe_sample)
	upRounds      int
	upAcked       int
	ackedPerInc   int // bytes acknowledged for each segment that inflightLong grows by
	roundsSince   int // since the last probe
	wait          time.Duration
	cycleStart    time.Time
	tooHigh       bool // the last probe lost too much (prev_probe_too_high)
	precautionary bool // the last probe stopped at inflightLong (prev_probe_precautionary)
}

func (b *bbr) inProbeBW() bool { return b.state >= probeDown && b.state <= probeUp }

func (b *bbr) startDown(now time.Time) {
	b.resetCongestionSignals()
	p := &b.probe
	p.ackedPerInc = unlimited
	// PickProbeWait: "0 or 1" rounds off the bound in rounds, 2 to 3 s as the bound in time (section 5.3.3.5.3).
	p.roundsSince = int(b.random.below(2))
	p.wait = 2*time.Second + time.Duration(b.random.below(uint64(time.Second)))
	p.cycleStart = now
	p.phase = acksProbeStopping
	b.startRound()
	b.state, b.pacingGain, b.cwndGain = probeDown, downPacingGain, defaultCwndGain
}

func (b *bbr) startCruise() { b.state, b.pacingGain, b.cwndGain = probeCruise, 1, defaultCwndGain }

func (b *bbr) startRefill() {
	b.resetShortTerm()
	p := &b.probe
	p.upRounds, p.upAcked, p.precautionary, p.phase = 0, 0, false, acksRefilling
	b.startRound()
	b.state, b.pacingGain, b.cwndGain = probeRefill, 1, defaultCwndGain
}

func (b *bbr) startUp() {
	b.probe.phase = acksProbeStarting
	b.startRound()
	b.pipe.reset(b.sample.Rate)
	b.state, b.pacingGain, b.cwndGain = probeUp, upPacingGain, upCwndGain
	b.raiseSlope()
}

// updateProbeBW advances the cycle (section 5.3.3.6).
func (b *bbr) updateProbeBW(now time.Time) {
	if !b.pipe.reached || b.adaptLongTerm() {
		return
	}
	switch b.state {
	case probeDown:
		if !b.timeToProbe(now) && b.timeToCruise() {
			b.startCruise()
		}
	case probeCruise:
		b.timeToProbe(now)
	case probeRefill:
		if b.round.started {
			b.probe.feedback = true
			b.startUp()
		}
	case probeUp:
		if b.timeToGoDown() {
			b.probe.tooHigh = false
			b.startDown(now)
		}
	}
}

// timeToProbe begins a probe when its time has come: after 2 to 3 s, or after as many rounds as Reno would need to
// grow by a flight, at most 63, so that both meet the same number of losses (section 5.3.3.5).
func (b *bbr) timeToProbe(now time.Time) bool {
	p := &b.probe
	reno := min(b.targetInflight()/b.mss, 63)
	if now.Sub(p.cycleStart) <= p.wait && p.roundsSince < reno {
		return false
	}
	b.startRefill()
	return true
}

func (b *bbr) timeToCruise() bool {
	return b.sample.InFlight <= b.withHeadroom() &&
		b.sample.InFlight <= b.inflight(clamp(float64(b.maxBw())*b.minRTT.Seconds(), 0, maxWindow))
}

func (b *bbr) timeToGoDown() bool {
	if b.probe.tooHigh && b.sample.InFlight >= b.inflightLong {
		b.probe.precautionary = true
		return true
	}
	if b.full.recent() && b.cwnd >= b.inflightLong {
		b.pipe.reset(b.sample.Rate) // inflightLong is the limit, so the path's is not seen
		return false
	}
	return b.pipe.now
}

// adaptLongTerm moves the bounds that last from probe to probe, by what the acknowledgements of a probe say; true: it
// has decided the next state.
func (b *bbr) adaptLongTerm() bool {
	p, s := &b.probe, &b.sample
	if p.phase == acksProbeStarting && b.round.started {
		p.phase = acksProbeFeedback
	}
	if p.phase == acksProbeStopping && b.round.started {
		p.feedback, p.phase = false, acksInit
		// What ProbeRTT limits counts here, unlike in the draft: else a rate that has fallen while a deep queue makes
		// rounds long is believed from one ProbeRTT to the next, each of which measures a larger RTT by it.
		if b.inProbeBW() && !b.senderLimited {
			b.bwFilter.advance(1)
		}
		if b.inProbeBW() && p.precautionary && !p.tooHigh {
			b.startRefill()
			return true
		}
	}
	if b.tooHigh(s.LostSince, s.SentInFlight) || b.inflightLong == unlimited {
		return false
	}
	b.inflightLong = max(b.inflightLong, s.SentInFlight)
	if b.state == probeUp {
		b.probeUpward()
	}
	return false
}

// probeUpward raises inflightLong while it is what limits, first slowly and then twice as fast each round.
func (b *bbr) probeUpward() {
	if !b.full.recent() || b.cwnd < b.inflightLong {
		return
	}
	p := &b.probe
	p.upAcked += b.sample.Bytes
	if n := p.upAcked / p.ackedPerInc; n > 0 {
		p.upAcked -= n * p.ackedPerInc
		b.inflightLong = min(b.inflightLong+min(n, maxWindow/b.mss)*b.mss, maxWindow)
	}
	if b.round.started {
		b.raiseSlope()
	}
}

func (b *bbr) raiseSlope() {
	p := &b.probe
	growth := 1 << p.upRounds
	p.upRounds = min(p.upRounds+1, 30)
	p.ackedPerInc = max(b.cwnd/growth, b.mss)
}

// targetInflight is the estimated BDP, unless congestion has cut the window.
func (b *bbr) targetInflight() int { return min(b.bdp(), b.cwnd) }

// withHeadroom is inflightLong less a part that other flows may use.
func (b *bbr) withHeadroom() int {
	if b.inflightLong == unlimited {
		return unlimited
	}
	return max(b.inflightLong-max(b.mss, int(headroom*float64(b.inflightLong))), b.minPipe())
}
