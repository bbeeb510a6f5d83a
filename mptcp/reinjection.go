package mptcp

import (
	"sort"
	"time"

	"hawser/transport/wire"
)

// interval is a run of data sequence numbers [from, to).
type interval struct {
	from, to uint64
	avoid    int // id of the subflow that it was sent on
}

// reinjection is the queue of data that is to be sent again on another subflow (RFC 8684 §3.3.6), oldest first.
//
// When an interface of ours goes away, what has left it still arrives, and only the acknowledgements are lost. Sent again
// before anything else it kept a slow uplink busy for nothing, and the reader waiting, for as long as that takes: of 100 ms
// without a byte after the loss of 100 Mbit/s beside 30, that was the half. So as long as the peer may still say that it has
// it all, new data gets every other byte.
type reinjection struct {
	q     []interval
	doubt time.Time // until when the peer may say so
	lead  int       // bytes of new data less those sent again, since the doubt began
}

// add queues a run, in order.
func (r *reinjection) add(iv interval) {
	i := sort.Search(len(r.q), func(i int) bool { return !wire.DSNLess(r.q[i].from, iv.from) })
	r.q = append(r.q, interval{})
	copy(r.q[i+1:], r.q[i:])
	r.q[i] = iv
}

// next is the oldest run that is not acknowledged; false: none.
func (r *reinjection) next(una uint64) (interval, bool) {
	for len(r.q) > 0 {
		if wire.DSNLess(r.q[0].from, una) {
			r.q[0].from = una
		}
		if wire.DSNLess(r.q[0].from, r.q[0].to) {
			return r.q[0], true
		}
		r.q = r.q[1:]
	}
	r.q = nil
	return interval{}, false
}

// sent says that the first n bytes of the oldest run were sent.
func (r *reinjection) sent(n int) {
	r.q[0].from += uint64(n)
	r.lead -= n
}

// yields says that it is the turn of new data, if there is some.
func (r *reinjection) yields(now time.Time) bool { return r.lead < 0 && now.Before(r.doubt) }

// bytes is what waits.
func (r *reinjection) bytes() int {
	n := 0
	for _, iv := range r.q {
		n += int(iv.to - iv.from)
	}
	return n
}

// reinjectAll queues everything that a lost or silent subflow carries and that was not queued before.
func (k *core) reinjectAll(s *subflow) {
	for i := range s.ranges.live() {
		k.reinjectRange(s, &s.ranges.live()[i])
	}
}

// mayHaveArrived notes that the peer has yet to say what of that which is sent again it has got; it does by its quickest
// subflow. Not more than a round trip of that is spent in doubt, nor than maxDoubt.
func (k *core) mayHaveArrived(now time.Time) {
	if s := k.quickest(); s != nil && len(k.again.q) > 0 && !k.cfg.off.doubt {
		k.again.doubt, k.again.lead = now.Add(min(s.rtt.srtt+ackDelay, maxDoubt)), 0
	}
}

// maxDoubt is what a round trip takes on nearly any path.
const maxDoubt = 300 * time.Millisecond

// reinjectRange queues one range, unless it was acknowledged or queued before.
func (k *core) reinjectRange(s *subflow, r *sentRange) {
	to := r.dsn + uint64(r.n)
	if r.copied || !wire.DSNLess(k.send.una, to) || k.cfg.off.reinject {
		return
	}
	r.copied = true
	from := r.dsn
	if wire.DSNLess(from, k.send.una) {
		from = k.send.una
	}
	s.reinjected++
	k.again.add(interval{from: from, to: to, avoid: s.id})
}

// allowance bounds what tier 1 may send twice: a share of what is sent, collected up to a ceiling.
type allowance struct{ bytes int }

const (
	allowanceShare = 50 // one byte in 50: 2 %
	allowanceMax   = 256 << 10
	allowanceStart = 64 << 10
)

func (a *allowance) earn(n int) { a.bytes = min(allowanceMax, a.bytes+n/allowanceShare) }

func (a *allowance) spend(n int) bool {
	if a.bytes < n {
		return false
	}
	a.bytes -= n
	return true
}

// headOfLine is tier 1 of recovery: the oldest bytes hold everything up for longer than their path usually takes,
// and another path is idle or the window nearly used up. They alone are sent again; the path stays up. With half of the
// allowance unused it does not wait for either: what comes late by a path that loses would else set the reader back by
// seconds of the other paths' rate.
func (k *core) headOfLine(now time.Time) {
	if k.cfg.off.headOfLine || k.send.una == k.nxt || len(k.again.q) > 0 || now.Sub(k.headAt) < ackDelay {
		return
	}
	s, r := k.head()
	if r == nil || r.copied {
		return
	}
	age, patience := now.Sub(r.mark.Sent), s.rtt.patience()
	left := int64(k.edge - k.nxt)
	tight := left < int64(k.edge-k.send.una)/4
	due := age >= patience && (tight || k.nxt == k.send.end)
	spare := k.waste.bytes > allowanceMax/2 && age >= k.late(now, s, r.n)
	if !due && !spare || !k.otherRoom(now, s) || !k.waste.spend(r.n) {
		return
	}
	k.reinjectRange(s, r)
}

// late is when n bytes should have been acknowledged by any measure of their uplink, with a segment lost and sent again,
// and lost again: three round trips, with the time that they and as many before them take to be sent. After two the system
// below has nearly always repaired a hole itself: of a link with 1 % loss 1 to 2 % of the bytes came twice for nothing.
func (k *core) late(now time.Time, s *subflow, n int) time.Duration {
	f := s.entry.Facts(now)
	if f.Rate == 0 || f.MinRTT == 0 {
		return s.rtt.patience()
	}
	return 3*f.MinRTT + ackDelay + time.Duration(float64(2*n)/float64(f.Rate)*float64(time.Second))
}

// head finds the subflow and range that hold the oldest byte not acknowledged at data level.
func (k *core) head() (*subflow, *sentRange) {
	for _, s := range k.subs {
		live, seen := s.ranges.live(), 0
		for i := 0; i < len(live) && seen <= 8; i++ { // what is older than the window's left edge is at the front
			if live[i].copied {
				continue // a path that says nothing may have many of these
			}
			if d := k.send.una - live[i].dsn; d < uint64(live[i].n) {
				return s, &live[i]
			}
			seen++
		}
	}
	return nil, nil
}

// otherRoom reports whether a path other than s would take bytes now.
func (k *core) otherRoom(now time.Time, s *subflow) bool {
	for _, o := range k.subs {
		if o != s && o.phase == phaseActive && !o.suspect && o.carrier.State().Room > 0 && k.credit(now, o) > 0 {
			return true
		}
	}
	return false
}
