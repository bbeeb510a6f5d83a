package tunnel

import "time"

// A session without an uplink lives on, for uplinks return. But it may also have been forgotten: a server that has been
// started again refuses its joins, which is no reason to end it, for anybody on the path can forge a refusal. So after
// darkTime the pool does not count on it any more and tries a new session beside it. Where nothing works that fails and
// is repeated ever more rarely; where the server has come back, streams go on there at once.
const (
	darkTime = 2 * time.Second
	lookDark = time.Second
)

// noteDark notes since when sessions have been without an uplink. Nothing wakes the pool then, so it looks. Under mu.
func (p *Pool) noteDark(now time.Time, next *alarm) {
	if p.c.off.dark {
		return
	}
	for _, s := range p.alive() {
		switch {
		case !s.transport.Waiting():
			s.darkSince = time.Time{}
		case s.darkSince.IsZero():
			s.darkSince = now
		}
		next.at(now.Add(lookDark))
	}
}

// dark tells that a session is not to be counted on. Under Pool.mu.
func (s *clientSession) dark(now time.Time) bool {
	return !s.darkSince.IsZero() && now.Sub(s.darkSince) >= darkTime
}

// lit are the sessions that take new streams and are not dark. Under mu.
func (p *Pool) lit(now time.Time) []*clientSession {
	lit := make([]*clientSession, 0, len(p.sessions))
	for _, s := range p.alive() {
		if !s.dark(now) {
			lit = append(lit, s)
		}
	}
	return lit
}
