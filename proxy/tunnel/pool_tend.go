package tunnel

import "time"

// This file decides how many sessions the pool has.

// tend removes what is worn or idle and dials what is missing; it returns when to look again, 0: when woken.
func (p *Pool) tend(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return 0
	}
	next := alarm{now: now}
	p.drainWorn(now, &next)
	p.noteDark(now, &next)
	p.closeIdle(now, &next)
	p.endDrained()
	missing := p.missing(now)
	if missing > 0 && now.Before(p.retryAt) {
		next.at(p.retryAt)
		return next.in()
	}
	for range missing {
		id := p.newID()
		p.dials = append(p.dials, id)
		p.tasks.Go(func() { p.dial(id) })
	}
	return next.in()
}

// alarm collects the earliest of some moments.
type alarm struct{ now, first time.Time }

func (a *alarm) at(t time.Time) {
	if a.first.IsZero() || t.Before(a.first) {
		a.first = t
	}
}

// in is how long until the first moment, at least 1 ms; 0: there is none.
func (a *alarm) in() time.Duration {
	if a.first.IsZero() {
		return 0
	}
	return max(a.first.Sub(a.now), time.Millisecond)
}

// alive are the sessions that take new streams. Under mu.
func (p *Pool) alive() []*clientSession {
	alive := make([]*clientSession, 0, len(p.sessions))
	for _, s := range p.sessions {
		if s.draining == "" {
			alive = append(alive, s)
		}
	}
	return alive
}

// missing is how many sessions to dial now. Under mu.
func (p *Pool) missing(now time.Time) int {
	alive := p.lit(now)
	have := len(alive) + len(p.dials)
	dark := len(p.alive()) - len(alive)
	switch {
	case dark > 0 && len(alive) == 0 && have > 0, have+dark >= 2*p.c.Max:
		return 0 // one try at a time; and outages in a row must not pile up sessions
	case dark > 0 && len(alive) == 0:
		return 1
	case have < p.c.Min && !p.c.off.ahead:
		return p.c.Min - have
	}
	if have >= p.c.Max || len(p.dials) > 0 {
		return 0
	}
	if p.demand > 0 && p.best(now, false) == nil && !p.allWait(alive) {
		return 1
	}
	if p.c.off.spare || len(alive) == 0 {
		return 0
	}
	if free := freeOfBulk(now, alive); free == len(alive) || free >= spares {
		return 0
	}
	return 1
}

// spares is how many sessions are to be free of bulk while another is not: one for the requests to come, and one that
// takes its place at once when bulk begins there.
const spares = 2

// freeOfBulk is how many of some sessions are.
func freeOfBulk(now time.Time, sessions []*clientSession) (free int) {
	for _, s := range sessions {
		if !s.bulk(now) {
			free++
		}
	}
	return free
}

// allWait tells that there are sessions and that none has an uplink: another would have none either.
func (p *Pool) allWait(alive []*clientSession) bool {
	for _, s := range alive {
		if !s.transport.Waiting() {
			return false
		}
	}
	return len(alive) > 0
}

// drainWorn turns new streams away from sessions that are to be replaced. Under mu.
func (p *Pool) drainWorn(now time.Time, next *alarm) {
	if p.c.off.replace {
		return
	}
	for _, s := range p.alive() {
		if s.draining = s.worn(now); s.draining != "" {
			p.c.Log.Info().Str("session", s.id).Msg(s.draining)
			continue
		}
		next.at(s.began.Add(maxSessionAge))
	}
}

// closeIdle closes a session that is not needed any more: more than Min, without streams for idleTime, and enough others
// that are free of bulk. Under mu.
func (p *Pool) closeIdle(now time.Time, next *alarm) {
	alive := p.lit(now)
	spare := len(alive) - p.c.Min
	free := freeOfBulk(now, alive)
	if free == len(alive) {
		free += spares // nothing is to be kept clear
	}
	for i := len(alive) - 1; i >= 0 && spare > 0 && free > spares; i-- { // the newest first: the oldest know their paths best
		s := alive[i]
		switch since := s.idleSince(); {
		case since.IsZero():
		case now.Sub(since) < idleTime:
			next.at(since.Add(idleTime))
		default:
			s.draining = "not needed"
			spare--
			free--
		}
	}
	if spare > 0 && free <= spares {
		next.at(now.Add(idleTime)) // nothing wakes the pool when bulk ends
	}
}

// endDrained closes sessions whose last stream has ended. Under mu.
func (p *Pool) endDrained() {
	for _, s := range p.sessions {
		if s.draining != "" && s.streams() == 0 && !s.closed.Swap(true) {
			p.tasks.Go(s.close)
		}
	}
}

// best is the session for a new stream; nil: none. bulk: the stream is expected to be. Under mu.
func (p *Pool) best(now time.Time, bulk bool) *clientSession {
	light := make([]*clientSession, 0, len(p.sessions))
	heavy := make([]*clientSession, 0, len(p.sessions))
	for _, s := range p.sessions {
		switch {
		case s.draining != "" || s.full() || s.transport.Waiting():
		case p.c.off.least:
			return s
		case s.bulk(now):
			heavy = append(heavy, s)
		default:
			light = append(light, s)
		}
	}
	if len(heavy) > 0 && (bulk || len(light) == 0) {
		return leastLoaded(now, heavy)
	}
	return lightOne(light)
}

// leastLoaded is the session of some with the least load, then the one with the fewest streams. Load counts in steps of
// 16 kB, so that a few packets do not outweigh streams.
func leastLoaded(now time.Time, sessions []*clientSession) *clientSession {
	const step = 16 << 10
	var best *clientSession
	var bestLoad, bestStreams int
	for _, s := range sessions {
		load, streams := s.load(now)/step, s.streams()
		if best == nil || load < bestLoad || load == bestLoad && streams < bestStreams {
			best, bestLoad, bestStreams = s, load, streams
		}
	}
	return best
}

// crowd is how many streams a session takes before they are spread: of programs on many processors.
const crowd = 256

// lightOne is the session for a stream of which nothing is known, among some that are free of bulk: the oldest one that
// is not crowded, so that of downloads that begin together as few sessions as possible become busy, and another is
// free for what comes after them. Where all are crowded, the one with the fewest streams. nil: there are none.
func lightOne(sessions []*clientSession) (best *clientSession) {
	for _, s := range sessions {
		switch {
		case s.streams() < crowd:
			return s
		case best == nil || s.streams() < best.streams():
			best = s
		}
	}
	return best
}
