package mptcp

import (
	"time"

	"hawser/transport/wire"
)

// Times of the recovery tiers.
const (
	// minSilence is the shortest silence with data outstanding that makes a path suspect.
	minSilence = 60 * time.Millisecond
	// deadSilence is the silence after which a subflow is given up and dialled anew.
	deadSilence = 3 * time.Second
	// idleProbe is how often a subflow is asked for a sign of life while the connection is idle: often enough for the
	// tables of carrier-grade NAT.
	idleProbe = 20 * time.Second
	// busyProbe is how often a silent subflow is asked while the connection moves data: an end that only receives has
	// nothing outstanding by which it could tell a path that has died from one that is not used.
	busyProbe   = 500 * time.Millisecond
	backupProbe = 5 * time.Second // the same for a backup path, whose bytes may cost money
	busyFor     = time.Second     // after the last byte of data
)

// busy says whether the connection moves data.
func (k *core) busy(now time.Time) bool { return now.Sub(k.moved) <= busyFor }

// probeEvery is how long a subflow with nothing outstanding may be silent before it is asked.
func (k *core) probeEvery(now time.Time, s *subflow) time.Duration {
	switch {
	case !k.busy(now):
		return idleProbe
	case s.isBackup():
		return backupProbe
	}
	return max(busyProbe, s.rtt.srtt)
}

// lastSign is when a subflow with nothing outstanding last said what its probe would ask for. While data moves that is
// the length of its round trip, and not only that it lives: acknowledgements of other subflows' data keep coming by it,
// and a round trip once measured in a queue would keep the scheduler from the path for as long as the transfer lasts.
func (k *core) lastSign(now time.Time, s *subflow) time.Time {
	if k.busy(now) && !s.isBackup() {
		return s.progress
	}
	return latest(s.carrier.State().LastHeard, s.progress)
}

// silence is how long this subflow may go without an acknowledgement before it is suspect:
// max(2·srtt, srtt + 4·rttvar, 60 ms).
func (s *subflow) silence() time.Duration {
	return max(2*s.rtt.srtt, s.rtt.patience(), minSilence)
}

// watch is tiers 2 and 3 of recovery for one subflow. A path is suspect when nothing outstanding was acknowledged for
// its silence and a probe, sent half-way, got no answer; then what it carries is sent again on the others. Anything
// that it says brings it back. A path that stays silent is given up.
func (k *core) watch(now time.Time, s *subflow) {
	if s.inFlight == 0 && s.asked.IsZero() {
		if now.Sub(k.lastSign(now, s)) >= k.probeEvery(now, s) {
			k.probe(now, s)
		}
		return
	}
	limit := s.silence()
	quiet := now.Sub(s.progress)
	if quiet >= limit/2 && s.asked.IsZero() {
		k.probe(now, s)
	}
	unanswered := !s.asked.IsZero() && now.Sub(s.asked) >= limit/2
	if quiet >= limit && unanswered && !s.suspect && !k.cfg.off.suspect {
		k.makeSuspect(now, s)
	}
	if !k.cfg.off.dead && unanswered && quiet >= deadSilence && now.Sub(s.asked) >= deadSilence/2 {
		k.drop(now, s, wire.ResetPerformance, "silent for 3 s")
	}
}

// watchDeadline is when watch has something to do next.
func (k *core) watchDeadline(now time.Time, s *subflow) time.Time {
	if s.inFlight == 0 && s.asked.IsZero() {
		return k.lastSign(now, s).Add(k.probeEvery(now, s))
	}
	limit := s.silence()
	switch {
	case s.asked.IsZero():
		return s.progress.Add(limit / 2)
	case !s.suspect && !k.cfg.off.suspect:
		return latest(s.progress.Add(limit), s.asked.Add(limit/2))
	}
	return latest(s.progress.Add(deadSilence), s.asked.Add(deadSilence/2))
}

func (k *core) probe(now time.Time, s *subflow) {
	if s.inFlight == 0 {
		s.progress = now
	}
	s.asked = now
	s.carrier.Probe(now, k.busy(now))
}

func (k *core) makeSuspect(now time.Time, s *subflow) {
	s.suspect, s.reason = true, "silent with data outstanding"
	s.entry.SetSuspect(now)
	k.news = true // what it last told the peer may be lost as well
	k.reinjectAll(s)
	k.notice(s)
}

// suspicion is called when some connection found the subflow's uplink silent: this one asks at once, and has half its
// patience behind it.
func (k *core) suspicion(now time.Time, s *subflow) {
	if s.phase != phaseActive || s.suspect || !s.asked.IsZero() {
		return
	}
	k.probe(now, s)
	if s.inFlight > 0 {
		if half := now.Add(-s.silence() / 2); half.Before(s.progress) {
			s.progress = half
		}
	}
}

// headDeadline is when tier 1 may act.
func (k *core) headDeadline() time.Time {
	if k.cfg.off.headOfLine || k.send.una == k.nxt || len(k.again.q) > 0 {
		return time.Time{}
	}
	s, r := k.head()
	if r == nil || r.mark.Sent.IsZero() {
		return time.Time{}
	}
	return r.mark.Sent.Add(s.rtt.patience())
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// earliest is the smaller of two deadlines; the zero time is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
