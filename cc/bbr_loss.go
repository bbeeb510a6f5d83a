package cc

import (
	"math"
	"time"
)

// lossRound is what the current round shows of congestion (draft-ietf-ccwg-bbr, section 5.5.10).
type lossRound struct {
	roundEnd   int64 // Delivered at which it ends
	roundStart bool  // the last acknowledgement began it
	seen       bool  // loss or a mark in it
	events     int   // calls that reported loss in it
	bytes      int   // lost in it
	marked     bool  // a mark in it

	markedRounds int  // rounds on end with marks
	timedOut     bool // nothing was acknowledged since a time-out
	recovery     bool // between a first loss, or a time-out, and OnRecovered
}

// bbrUndo is what a spurious episode takes back (section 5.5.11).
type bbrUndo struct {
	valid                                bool
	state                                bbrState
	left                                 bool // state was left because of the loss
	bwShort, inflightShort, inflightLong int
}

// tooHigh says whether lost bytes of a flight are more than random loss at the threshold would take. The draft compares
// with the threshold alone; a flight of 200 segments that loses 1 % at random then crosses it once in a dozen round
// trips, and the bound so learnt costs a sixth of the rate. Two standard deviations of room make that one in hundreds,
// and a queue that overflows in a probe loses ten times as much.
func (b *bbr) tooHigh(lost, flight int) bool {
	expected := lossThresh * float64(flight)
	return float64(lost) > expected+2*math.Sqrt(expected*float64(b.mss))
}

func (b *bbr) OnLoss(now time.Time, l Loss) {
	b.begin(now)
	l = boundedLoss(l)
	if l.Bytes > 0 {
		b.loss.events++
		b.loss.bytes = min(b.loss.bytes+l.Bytes, maxWindow)
	}
	b.noteLoss(l.First || !b.loss.recovery)
	b.loss.recovery = b.loss.recovery || l.First
	b.loss.marked = b.loss.marked || l.ECN
	if !b.probe.feedback {
		return
	}
	if l.SentInFlight == 0 {
		l.SentInFlight = l.InFlight + l.Bytes
	}
	l.LostSince = max(l.LostSince, l.Bytes)
	switch {
	case l.ECN:
		b.inflightTooHigh(now, l.SentInFlight, l.AppLimited)
	case b.tooHigh(l.LostSince, l.SentInFlight):
		b.inflightTooHigh(now, inflightAtLoss(l), l.AppLimited)
	}
}

// noteLoss makes the first loss of a round the start of one, so that the answer comes a round trip after it. The state
// is saved at the first loss of an episode, and not in its later rounds, so that undo goes back to before all of it.
func (b *bbr) noteLoss(first bool) {
	if first {
		b.saveState()
	}
	if !b.loss.seen {
		b.loss.roundEnd = b.delivered
	}
	b.loss.seen = true
}

// inflightAtLoss solves for the part of the lost segments with which the loss crossed the threshold (section
// 5.5.10.2): what was in flight then was too much.
func inflightAtLoss(l Loss) int {
	size := min(l.Bytes, l.SentInFlight)
	flight := float64(l.SentInFlight - size)
	prefix := (lossThresh*flight - float64(l.LostSince-size)) / (1 - lossThresh)
	return clamp(flight+max(prefix, 0), 0, maxWindow)
}

// inflightTooHigh answers the loss of a probe, once (section 5.5.10.2).
func (b *bbr) inflightTooHigh(now time.Time, flight int, appLimited bool) {
	b.probe.tooHigh, b.probe.feedback = true, false
	if !appLimited {
		b.inflightLong = max(flight, int(bbrBeta*float64(b.targetInflight())), b.mss)
	}
	if b.state == probeUp {
		b.saved.state, b.saved.left = probeUp, true
		b.startDown(now)
	}
}

// updateCongestionSignals adapts the short-term bounds once per round with loss (section 5.5.10.3).
func (b *bbr) updateCongestionSignals() {
	b.updateMaxBw()
	if !b.loss.roundStart {
		return
	}
	if b.congestedRound() && !b.probesBw() {
		if b.bwShort == unlimited {
			b.bwShort = b.maxBw()
		}
		if b.inflightShort == unlimited {
			b.inflightShort = b.cwnd
			if b.loss.recovery {
				b.inflightShort = max(b.cwnd, b.priorCwnd) // a time-out's window of one segment says nothing
			}
		}
		b.bwShort = max(b.bwLatest, int(bbrBeta*float64(b.bwShort)))
		b.inflightShort = max(b.inflightLatest, int(bbrBeta*float64(b.inflightShort)))
	}
	b.loss.seen, b.loss.bytes = false, 0
}

// congestedRound says whether what the round has lost is congestion. The draft takes every loss for it; here the
// threshold of the probes holds for cruising as well, because a path with 1 % of random loss would else give up a
// per cent of its rate each round until the next probe. A mark counts whatever is lost.
func (b *bbr) congestedRound() bool {
	l := &b.loss
	return l.seen && (l.marked || b.tooHigh(l.bytes, l.bytes+b.volume()))
}

// probesBw is true in the states that accelerate, whose losses are their own.
func (b *bbr) probesBw() bool {
	return b.state == startup || b.state == probeRefill || b.state == probeUp
}

func (b *bbr) resetCongestionSignals() {
	b.loss.seen, b.bwLatest, b.inflightLatest = false, 0, 0
}

// OnTimeout leaves one segment, and grows from there by what is acknowledged (section 5.6.4.4).
func (b *bbr) OnTimeout(now time.Time, inFlight int) {
	b.begin(now)
	b.loss.bytes = min(b.loss.bytes+clampSize(inFlight), maxWindow)
	b.noteLoss(!b.loss.timedOut)
	b.loss.timedOut, b.loss.recovery = true, true
	b.cwnd = b.mss
}

// OnRecovered restores the window that recovery found; the next acknowledgement bounds it by the model.
func (b *bbr) OnRecovered(time.Time) {
	if b.loss.recovery {
		b.restoreCwnd()
	}
	b.loss.recovery, b.loss.timedOut = false, false
}

func (b *bbr) saveState() {
	b.saveCwnd()
	b.saved = bbrUndo{valid: true, bwShort: b.bwShort, inflightShort: b.inflightShort, inflightLong: b.inflightLong}
}

// OnUndo restores at least what was known before the episode, and the probe that it ended (section 5.5.11.2).
func (b *bbr) OnUndo(time.Time) {
	if !b.saved.valid {
		return
	}
	b.restoreCwnd()
	b.loss.seen, b.loss.recovery, b.loss.timedOut = false, false, false
	b.pipe.reset(0)
	b.bwShort = max(b.bwShort, b.saved.bwShort)
	b.inflightShort = max(b.inflightShort, b.saved.inflightShort)
	b.inflightLong = max(b.inflightLong, b.saved.inflightLong)
	switch {
	case !b.saved.left:
	case b.saved.state == startup && b.state != startup:
		b.pipe.reached = false
		if b.state != probeRTT {
			b.enterStartup()
		}
	case b.saved.state == probeUp && b.state != probeUp && b.state != probeRTT:
		b.startRefill()
	}
	b.saved = bbrUndo{}
}

// saveCwnd remembers the last window that neither recovery nor ProbeRTT has cut.
func (b *bbr) saveCwnd() {
	if !b.loss.recovery && b.state != probeRTT {
		b.priorCwnd = b.cwnd
		return
	}
	b.priorCwnd = max(b.priorCwnd, b.cwnd)
}

func (b *bbr) restoreCwnd() { b.cwnd = max(b.cwnd, b.priorCwnd) }
