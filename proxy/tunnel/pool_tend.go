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
	if p.demand > 0 && p.best(now) == nil && !p.allWait(alive) {
		return 1
	}
	if p.c.off.spare || len(alive) == 0 {
		return 0
	}
	for _, s := range alive {
		if !s.bulk(now) {
			return 0
		}
	}
	return 1
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

// closeIdle closes a session that is not needed any more: more than Min, without streams for idleTime, and another one
// that is free of bulk. Under mu.
func (p *Pool) closeIdle(now time.Time, next *alarm) {
	alive := p.lit(now)
	spare := len(alive) - p.c.Min
	free := 0
	for _, s := range alive {
		if !s.bulk(now) {
			free++
		}
	}
	for i := len(alive) - 1; i >= 0 && spare > 0 && free > 1; i-- { // the newest first: the oldest know their paths best
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
	if spare > 0 && free <= 1 {
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

// best is the session for a new stream: the least loaded one, then the one with the fewest streams; nil: none. Load
// counts in steps of 16 kB, so that a few packets do not outweigh streams. Under mu.
func (p *Pool) best(now time.Time) *clientSession {
	const step = 16 << 10
	var best *clientSession
	var bestLoad, bestStreams int
	for _, s := range p.sessions {
		if s.draining != "" || s.full() || s.transport.Waiting() {
			continue
		}
		if p.c.off.least {
			return s
		}
		load, streams := s.load(now)/step, s.streams()
		if best == nil || load < bestLoad || load == bestLoad && streams < bestStreams {
			best, bestLoad, bestStreams = s, load, streams
		}
	}
	return best
}
