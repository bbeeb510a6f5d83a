package cc

import (
	"math"
	"time"
)

// avoidance is what loss-based controllers differ in: how the window grows in congestion avoidance, and how far it
// falls. Windows are bytes.
type avoidance interface {
	// grow gives the window after bytes were acknowledged in congestion avoidance; it is never below window.
	grow(now time.Time, srtt time.Duration, window, bytes int) int
	// pause is told, instead of grow, that the application limits the sender.
	pause(now time.Time)
	// congested is told of each reduction, with the window that met congestion.
	congested(window int)
	// timedOut is told of a time-out after congested.
	timedOut()
	// beta is the factor of a reduction.
	beta() float64
	// save and restore bracket an episode that turns out to be spurious.
	save()
	restore()
}

// lossBased is a window that grows until something is lost or marked: slow start, recovery, time-outs, validation and
// undo, which are the same for every avoidance.
type lossBased struct {
	name string
	ca   avoidance
	mss  int

	window, ssthresh int

	pace  pacing
	round rounds
	full  fill
	start hystart
	cwv   validation

	recovering bool // between a loss or mark and OnRecovered: nothing grows
	lostWindow bool // a time-out has expired, and what was outstanding is not yet acknowledged
	progress   bool // something was delivered since the last time-out
	episode    episode
	undo       undo
}

// episode is what RFC 7661, section 4.4.1, wants to know at the end of one.
type episode struct {
	unused bool // the window was not validated when it began
	flight int  // max(pipeACK, LossFlightSize)
	resent int  // R: what was lost, and has been repaired by the end
}

// undo is what a spurious episode takes back (RFC 4015, section 3; RFC 9438, section 4.9).
type undo struct {
	valid            bool
	window, ssthresh int
	start            hystart
}

func newLossBased(name string, c Config, ca avoidance) *lossBased {
	// "The initial value of ssthresh SHOULD be set arbitrarily high" (RFC 5681, section 3.1).
	return &lossBased{name: name, ca: ca, mss: c.MSS, window: initialWindow(c.MSS), ssthresh: math.MaxInt}
}

func (l *lossBased) OnSend(time.Time, int, int) {}

func (l *lossBased) OnAck(now time.Time, a Ack) {
	a = bounded(a)
	l.pace.sample(a.RTT)
	newRound := l.round.onAck(a)
	l.full.onAck(a.WindowLimited, newRound)
	slowStart := l.window < l.ssthresh
	if slowStart && l.start.onAck(a.RTT, newRound) {
		l.ssthresh, slowStart = l.window, false // RFC 9406, section 4.2: CSS ends in congestion avoidance
	}
	if a.Bytes == 0 {
		return
	}
	l.progress = true
	if !l.recovering && !l.lostWindow {
		l.cwv.sample(now, l.pace.srtt, a)
	}
	if l.recovering || !l.validate(now) {
		l.ca.pause(now)
		return
	}
	if slowStart {
		l.slowStart(a.Bytes)
		return
	}
	if !l.full.recent() {
		l.ca.pause(now)
		return
	}
	l.window = min(l.ca.grow(now, l.pace.srtt, l.window, a.Bytes), maxWindow)
}

// validate says whether the window may grow, and shrinks one that was not used for too long (RFC 7661, section 4.4.3).
func (l *lossBased) validate(now time.Time) bool {
	valid := l.lostWindow || l.cwv.validated(l.window, l.full.recent())
	for range min(l.cwv.expired(now, valid), 32) {
		l.ssthresh = max(l.ssthresh, l.window/4*3)
		l.window = max(l.window/2, min(l.window, initialWindow(l.mss)))
	}
	return valid
}

// slowStart grows by what was acknowledged (RFC 3465, section 2.2), at most to ssthresh.
func (l *lossBased) slowStart(bytes int) {
	paced := l.pace.srtt > 0
	switch {
	case l.lostWindow:
		// "SHOULD use L=1*SMSS bytes following an RTO": an acknowledgement may cover what arrived long ago (section 2.3).
		bytes = min(bytes, l.mss)
	case !l.start.done:
		bytes = l.start.growth(bytes, l.mss, paced)
	case !paced:
		bytes = min(bytes, 2*l.mss)
	}
	l.window = min(l.window+bytes, l.ssthresh, maxWindow)
}

func (l *lossBased) OnLoss(_ time.Time, loss Loss) {
	loss = boundedLoss(loss)
	l.episode.resent = min(l.episode.resent+loss.Bytes, maxWindow)
	if !loss.First {
		return
	}
	l.save()
	l.reduce(loss.InFlight+loss.Bytes, loss.Bytes)
	l.recovering, l.lostWindow = true, false
	floor := 2 * l.mss
	if loss.ECN && loss.Bytes == 0 {
		floor = l.mss // RFC 9438, section 4.6: a mark, unlike a loss, may leave a single segment
	}
	l.window = min(l.window, max(l.decreased(l.episode.flight), floor))
}

// reduce begins an episode: it sets ssthresh by the window, or where that was not validated by what was in use.
func (l *lossBased) reduce(flight, lost int) {
	l.start.done = true
	used := l.window
	unused := !l.lostWindow && !l.cwv.validated(l.window, l.full.recent())
	if unused {
		used = min(max(l.cwv.pipeACK(), flight), l.window)
	}
	l.episode = episode{unused: unused, flight: used, resent: lost}
	l.ca.congested(used)
	// RFC 5681, equation 4, with the validated window for FlightSize: RFC 9438, section 4.6, allows it with RFC 7661.
	l.ssthresh = max(l.decreased(used), 2*l.mss)
}

func (l *lossBased) decreased(window int) int { return int(float64(window) * l.ca.beta()) }

func (l *lossBased) OnTimeout(_ time.Time, inFlight int) {
	// ssthresh stays as it is while the same data times out again (RFC 5681, section 3.1).
	if !l.lostWindow || l.progress {
		l.save()
		l.reduce(clampSize(inFlight), 0)
		l.ca.timedOut()
	}
	l.window = l.mss // LW
	l.recovering, l.lostWindow, l.progress = false, true, false
}

func (l *lossBased) OnRecovered(time.Time) {
	if l.recovering && l.episode.unused {
		// RFC 7661, section 4.4.1: what was repaired had no room either.
		l.window = min(l.window, max(l.decreased(max(l.episode.flight-l.episode.resent, 0)), 2*l.mss))
		l.ssthresh = max(l.window, 2*l.mss)
	}
	if l.recovering || l.lostWindow {
		l.cwv.reset()
	}
	l.recovering, l.lostWindow = false, false
}

func (l *lossBased) save() {
	l.undo = undo{valid: true, window: l.window, ssthresh: l.ssthresh, start: l.start}
	l.ca.save()
}

func (l *lossBased) OnUndo(time.Time) {
	if !l.undo.valid {
		return
	}
	l.window, l.ssthresh = max(l.window, l.undo.window), l.undo.ssthresh
	l.start = l.undo.start
	l.ca.restore()
	l.undo.valid = false
	l.recovering, l.lostWindow = false, false
	l.cwv.reset()
}

// OnIdle keeps the window, unless the pause has outlasted the non-validated period (RFC 7661, section 4.4). What
// follows is paced at the old rate, and does not let the window grow before it has filled it again.
func (l *lossBased) OnIdle(now time.Time, idle time.Duration) {
	began := now.Add(-max(idle, 0))
	l.ca.pause(began)
	l.full = fill{}
	if l.cwv.slotStart.IsZero() {
		return // nothing measured yet: the initial window, or that of a recovery
	}
	l.cwv.advance(now, l.pace.srtt)
	if l.cwv.since.IsZero() {
		l.cwv.since = began
	}
	l.validate(now)
}

func (l *lossBased) Window() int { return l.window }

func (l *lossBased) Rate() int {
	if l.window < l.ssthresh {
		return l.pace.rate(l.window, slowStartGain)
	}
	return l.pace.rate(l.window, avoidanceGain)
}

func (l *lossBased) OwnsRecovery() bool { return false }

func (l *lossBased) Name() string { return l.name }
