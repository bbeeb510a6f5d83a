package cc

import "time"

// rttProbe schedules ProbeRTT: half a BDP in flight for 200 ms, when no RTT as small as the last was seen for 5 s
// (draft-ietf-ccwg-bbr, section 5.3.4).
type rttProbe struct {
	minDelay     time.Duration // smallest RTT of the last 5 s; 0: none
	stamp        time.Time     // of minDelay
	expired      bool
	doneStamp    time.Time // earliest end of ProbeRTT; zero: the flight is not yet small enough
	roundDone    bool
	limitedUntil int64 // samples of segments sent while Delivered was at most this are limited by ProbeRTT
}

func (b *bbr) checkProbeRTT(now time.Time) {
	p := &b.probing
	if b.state != probeRTT && p.expired && !b.idle {
		b.saveCwnd()
		b.state, b.pacingGain, b.cwndGain = probeRTT, 1, probeRTTCwndGain
		p.doneStamp = time.Time{}
		b.probe.phase = acksProbeStopping
		b.startRound()
	}
	if b.state == probeRTT {
		b.handleProbeRTT(now)
	}
	b.idle = false
}

func (b *bbr) handleProbeRTT(now time.Time) {
	p := &b.probing
	p.limitedUntil = b.delivered + int64(b.sample.InFlight) // MarkConnectionAppLimited
	switch {
	case p.doneStamp.IsZero():
		if b.sample.InFlight <= b.probeRTTCwnd() {
			p.doneStamp, p.roundDone = now.Add(probeRTTDuration), false
			b.startRound()
		}
	default:
		p.roundDone = p.roundDone || b.round.started
		if p.roundDone {
			b.checkProbeRTTDone(now)
		}
	}
}

func (b *bbr) checkProbeRTTDone(now time.Time) {
	p := &b.probing
	if p.doneStamp.IsZero() || now.Before(p.doneStamp) {
		return
	}
	p.stamp = now // schedules the next
	b.restoreCwnd()
	b.resetShortTerm()
	if !b.pipe.reached {
		b.enterStartup()
		return
	}
	b.startDown(now)
	b.startCruise() // the flight is already below the BDP
}

func (b *bbr) probeRTTCwnd() int {
	return max(b.bdpMultiple(probeRTTCwndGain), b.minPipe())
}
