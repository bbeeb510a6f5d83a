package mptcp

import (
	"time"

	"hawser/scheduler"
	"hawser/transport/uplink"
	"hawser/transport/wire"
)

// Chunk sizes by what the uplinks deliver together: small ones interleave finely, large ones cost less per byte.
const (
	smallChunk = 16 << 10
	largeChunk = 32 << 10
	hugeChunk  = 62 << 10
	largeRate  = 25 << 20  // bytes/s from which chunks are large (200 Mbit/s)
	hugeRate   = 125 << 20 // bytes/s from which chunks are huge (1 Gbit/s)
)

// schedule is the working memory of a turn's scheduling.
type schedule struct {
	paths []scheduler.Path
	subs  []*subflow // beside paths
	picks []int
	rate  int  // of all paths together, bytes/s
	holes bool // some path has a hole in its byte stream
}

// dispatch gives subflows as much as the scheduler allows: first what has to be sent again, then new data.
func (k *core) dispatch(now time.Time) {
	fin, pressed := k.conn.outg.take(&k.send)
	if pressed {
		k.pressed = now
	}
	k.stalled = time.Time{}
	if k.state != ConnEstablished && k.state != ConnWaiting && k.state != ConnClosing {
		return
	}
	k.headOfLine(now)
	if k.nxt == k.send.end && len(k.again.q) == 0 && (!fin || k.fin.sent) {
		k.appLimited(now)
		return
	}
	k.viewPaths(now)
	from := k.nxt
	for k.step(now) {
	}
	if k.nxt != from {
		k.moved = now
		k.conn.outg.progress(int(k.nxt-from), 0, k.unassignedLimit())
		k.waste.earn(int(k.nxt - from))
	}
	if k.nxt == k.send.end && len(k.again.q) == 0 {
		k.appLimited(now)
	} else {
		k.stalled = now.Add(stallPoll)
		if k.scratch.holes {
			k.stalled = now.Add(holePoll)
		}
	}
	if fin {
		k.sendFin(now)
	}
}

// viewPaths makes the scheduler's view of the working subflows.
func (k *core) viewPaths(now time.Time) {
	v := &k.scratch
	v.paths, v.subs, v.rate, v.holes = v.paths[:0], v.subs[:0], 0, false
	for _, s := range k.subs {
		if s.phase != phaseActive {
			continue
		}
		st := s.carrier.State()
		s.ranges.release(st.Written)
		if st.Beyond != s.beyond && !k.cfg.off.beyond {
			s.entry.Beyond(st.Beyond - s.beyond)
			s.beyond = st.Beyond
		}
		v.holes = v.holes || st.Beyond > 0
		f := s.entry.Facts(now)
		p := scheduler.Path{
			ID: s.id, Room: st.Room, Credit: f.Cap - f.InFlight,
			SRTT: s.rtt.srtt, RTTVar: s.rtt.rttvar, MinRTT: f.MinRTT, Rate: f.Rate, Settled: f.Settled, InFlight: f.InFlight,
			Unsent: st.Unsent, Backup: s.isBackup(), Suspect: s.suspect || !f.Suspect.IsZero(),
		}
		if k.cfg.off.cap {
			p.Credit = 1 << 30
		}
		if k.loaded(now) {
			p.Rate = supposed(f)
		}
		v.rate += f.Rate
		v.paths, v.subs = append(v.paths, p), append(v.subs, s)
	}
	k.conn.rate.Store(int64(v.rate))
}

// supposed is the rate that a path is taken to have under load. Until it has stopped growing, it is no less than what the
// cap lets out for a try: a rate measured on less would keep the path from ever being measured better.
func supposed(f uplink.Facts) int {
	if f.Rate == 0 || f.Settled || f.MinRTT == 0 {
		return f.Rate
	}
	return max(f.Rate, int(float64(f.Cap)/2/f.MinRTT.Seconds()))
}

// credit is what may still be put in flight on a subflow's uplink.
func (k *core) credit(now time.Time, s *subflow) int {
	if k.cfg.off.cap {
		return 1 << 30
	}
	f := s.entry.Facts(now)
	return f.Cap - f.InFlight
}

// step sends one chunk; false: nothing can be sent now.
func (k *core) step(now time.Time) bool {
	iv, lost := k.again.next(k.send.una)
	yields := lost && k.again.yields(now)
	if lost && !yields && k.stepAgain(now, iv) {
		return true
	}
	if n := k.stepNew(now); n > 0 {
		k.again.lead += n
		return true
	}
	return yields && k.stepAgain(now, iv)
}

// stepNew sends a chunk that was not sent before and returns how much of it was taken.
func (k *core) stepNew(now time.Time) int {
	left := int64(k.edge - k.nxt)
	backlog := int(k.send.end - k.nxt)
	if backlog == 0 || left <= 0 {
		return 0
	}
	sp := k.send.at(k.nxt)
	size := min(len(sp.b), k.chunkSize(), int(left))
	c := scheduler.Chunk{
		Size: size, Backlog: backlog, Window: int(left), Avoid: -1,
		Loaded: k.loaded(now),
	}
	n := k.transmit(now, k.nxt, span{c: sp.c, b: sp.b[:size]}, c)
	k.nxt += uint64(n)
	return n
}

// stepAgain sends a chunk of the oldest run that has to be sent again.
func (k *core) stepAgain(now time.Time, iv interval) bool {
	sp := k.send.at(iv.from)
	size := min(len(sp.b), k.chunkSize(), int(iv.to-iv.from))
	c := scheduler.Chunk{
		Size: size, Backlog: k.again.bytes(), Window: int(k.edge - k.send.una), Reinject: true, Avoid: iv.avoid,
		Loaded: true,
	}
	n := k.transmit(now, iv.from, span{c: sp.c, b: sp.b[:size]}, c)
	if n > 0 {
		k.again.sent(n)
	}
	return n > 0
}

// transmit gives a chunk to the paths that the scheduler picks and returns how much of it is on its way.
func (k *core) transmit(now time.Time, dsn uint64, sp span, c scheduler.Chunk) int {
	v := &k.scratch
	v.picks = k.sched.Pick(now, v.paths, c, v.picks[:0])
	most := 0
	for _, id := range v.picks {
		for i, s := range v.subs {
			if s.id != id {
				continue
			}
			n := s.send(now, dsn, sp)
			most = max(most, n)
			p := &v.paths[i]
			p.Credit -= n
			p.InFlight += n
			p.Unsent += n
			p.Room = s.carrier.State().Room
		}
	}
	return most
}

func (k *core) chunkSize() int {
	switch rate := k.scratch.rate; {
	case rate > hugeRate:
		return hugeChunk
	case rate > largeRate:
		return largeChunk
	}
	return smallChunk
}

// unassignedLimit is 2 ms of what the uplinks deliver together, as last looked at: what Write lets wait here.
func (k *core) unassignedLimit() int { return k.scratch.rate / 500 }

// appLimited tells the board of uplinks that would take more than there is to send.
func (k *core) appLimited(now time.Time) {
	for _, s := range k.subs {
		if s.phase != phaseActive {
			continue
		}
		if f := s.entry.Facts(now); f.Cap-f.InFlight > max(smallChunk, f.Cap/3) {
			s.entry.AppLimited()
		}
	}
}

// sendFin sends a DATA_FIN when everything before it was given to a subflow (RFC 8684 §3.3.3).
func (k *core) sendFin(now time.Time) {
	if k.fin.sent || k.nxt != k.send.end {
		return
	}
	if s := k.quickest(); s != nil && s.carrier.Send(wire.Mapping{DSN: k.send.end, Fin: true}, nil) >= 0 {
		k.fin.sent, k.fin.at, k.fin.wait = true, now, finRetry
	}
}

// loadGap is how long after a Write that had to wait the connection counts as loaded.
const loadGap = 20 * time.Millisecond

// loaded says whether the application keeps the send buffer full.
func (k *core) loaded(now time.Time) bool { return now.Sub(k.pressed) <= loadGap }

// stallPoll is how often a connection looks for room that other connections' acknowledgements make on an uplink.
const stallPoll = 5 * time.Millisecond

// holePoll is how often it looks while a hole in a subflow's byte stream lets no acknowledgement of the carrier through,
// and the system alone knows what arrives beyond it.
const holePoll = time.Millisecond
