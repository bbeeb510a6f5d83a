package plaintest

import (
	"math/rand/v2"
	"time"
)

const (
	segmentSize = 1448 // payload of a full segment
	headerSize  = 52   // of IP and TCP with timestamps
	reorder     = 3    // segments sent later and acknowledged that make one lost
	minRTO      = 200 * time.Millisecond
	maxRTO      = 120 * time.Second
)

// segment is a run of bytes under way.
type segment struct {
	seq    uint64
	data   []byte
	fin    bool
	order  uint64 // of sending; a retransmission gets a new one
	sentAt time.Time
	passed uint64 // bytes that had been delivered when it was sent
	passAt time.Time
	again  bool // sent more than once
	short  bool // the sender had too little to send then: its rate says little
	lost   bool
	acked  bool
}

// flow is one direction of a connection: TCP's sender at one end, its receiver at the other. n.mu guards it.
type flow struct {
	n    *Network
	path *direction // of data
	back *direction // of acknowledgements
	rng  *rand.Rand
	from *socket
	to   *socket

	unsent   []byte
	closing  bool // a FIN follows unsent
	finSent  bool
	nxt      uint64 // sequence number of unsent[0]
	una      uint64
	order    uint64
	segs     []*segment // sent and not acknowledged, by sequence number
	inFlight int
	cc       controller
	next     time.Time // pacing: when the next segment may leave
	paced    bool      // an event for next is there

	srtt, rttvar, minRTT time.Duration
	backoff              int
	rtoEpoch             uint64 // cancels older timers
	delivered            uint64
	deliveredAt          time.Time
	shortUntil           uint64 // delivered count up to which rates are the application's
	recovery             uint64 // losses of segments sent before this order count as one
	segments             uint64
	retransmits          uint64
	dead                 bool

	rcvNxt uint64
	ooo    map[uint64]*segment
	inbox  []byte
	rcvFin bool
}

func newFlow(n *Network, path, back *direction, rng *rand.Rand) *flow {
	return &flow{
		n: n, path: path, back: back, rng: rng,
		cc: newController(n.cfg.Congestion), ooo: make(map[uint64]*segment),
	}
}

// buffered is what the send buffer holds.
func (f *flow) buffered() int { return len(f.unsent) + int(f.nxt-f.una) }

// push sends what window and pacing allow: lost segments first.
func (f *flow) push(now time.Time) {
	for !f.dead && f.inFlight < f.cc.window() {
		s := f.lostSegment()
		if s == nil && len(f.unsent) == 0 && (!f.closing || f.finSent) {
			f.shortUntil = f.delivered + max(f.nxt-f.una, 1)
			return
		}
		if wait := f.next.Sub(now); wait > 0 && f.cc.rate() > 0 {
			f.pace(f.next)
			return
		}
		if s == nil {
			s = f.cut(now)
		} else {
			s.again = true
			f.retransmits++
		}
		f.transmit(now, s)
	}
}

// pace comes back when the next segment may leave.
func (f *flow) pace(at time.Time) {
	if f.paced {
		return
	}
	f.paced = true
	f.n.at(at, func(now time.Time) {
		f.paced = false
		f.push(now)
	})
}

func (f *flow) lostSegment() *segment {
	for _, s := range f.segs {
		if s.lost {
			return s
		}
	}
	return nil
}

// cut makes the next new segment.
func (f *flow) cut(now time.Time) *segment {
	k := min(len(f.unsent), segmentSize)
	s := &segment{seq: f.nxt, data: f.unsent[:k:k]}
	f.unsent = f.unsent[k:]
	f.nxt += uint64(k)
	if f.closing && len(f.unsent) == 0 {
		s.fin, f.finSent = true, true
		f.nxt++
	}
	if len(f.segs) == 0 {
		f.deliveredAt = now // an idle sender's pause is no part of a rate
	}
	f.segs = append(f.segs, s)
	f.from.wakeWriter()
	return s
}

// transmit puts a segment on the path.
func (f *flow) transmit(now time.Time, s *segment) {
	f.order++
	f.segments++
	s.order, s.sentAt, s.lost = f.order, now, false
	s.passed, s.passAt, s.short = f.delivered, f.deliveredAt, f.shortUntil > f.delivered
	size := len(s.data) + headerSize
	f.inFlight += size
	if r := f.cc.rate(); r > 0 {
		if f.next.Before(now) {
			f.next = now
		}
		f.next = f.next.Add(time.Duration(float64(size) / r * float64(time.Second)))
	}
	if len(f.segs) > 0 && f.segs[0] == s || f.inFlight == size {
		f.arm(now)
	}
	order := s.order
	f.path.send(now, packet{size: size, rng: f.rng, lossy: true, arrive: func(now time.Time) { f.receive(now, s, order) }})
}

// receive is the receiver's side of a segment's arrival.
func (f *flow) receive(now time.Time, s *segment, order uint64) {
	if f.to.gone {
		f.to.refuse(now)
		return
	}
	if s.seq >= f.rcvNxt {
		f.ooo[s.seq] = s
	}
	for t := f.ooo[f.rcvNxt]; t != nil; t = f.ooo[f.rcvNxt] {
		delete(f.ooo, f.rcvNxt)
		f.rcvNxt += uint64(len(t.data))
		f.inbox = append(f.inbox, t.data...)
		if t.fin {
			f.rcvNxt++
			f.rcvFin = true
		}
		f.to.wakeReader()
	}
	f.back.send(now, packet{size: headerSize, rng: f.rng, arrive: func(now time.Time) { f.ack(now, s, order) }})
}

// ack is the sender's side of an acknowledgement of one segment.
func (f *flow) ack(now time.Time, s *segment, order uint64) {
	if f.dead || s.acked {
		return
	}
	s.acked = true
	size := len(s.data) + headerSize
	if !s.lost {
		f.inFlight -= size
	}
	s.lost = false
	f.backoff = 0
	f.delivered += uint64(len(s.data))
	f.deliveredAt = now
	rtt := time.Duration(0)
	if !s.again {
		rtt = now.Sub(s.sentAt)
		f.sample(rtt)
	}
	span := max(now.Sub(s.passAt), now.Sub(s.sentAt))
	f.cc.ack(now, ackInfo{
		bytes: size, rtt: rtt, minRTT: f.minRTT, inFlight: f.inFlight, delivered: f.delivered,
		rate:  float64(f.delivered-s.passed) * float64(segmentSize+headerSize) / segmentSize / max(span.Seconds(), 1e-6),
		short: s.short,
	})
	f.detect(now, order)
	f.forget()
	f.arm(now)
	f.from.wakeWriter()
	f.push(now)
}

// sample is RFC 6298 §2.
func (f *flow) sample(rtt time.Duration) {
	if f.minRTT == 0 || rtt < f.minRTT {
		f.minRTT = rtt
	}
	if f.srtt == 0 {
		f.srtt, f.rttvar = rtt, rtt/2
		return
	}
	f.rttvar += (max(f.srtt-rtt, rtt-f.srtt) - f.rttvar) / 4
	f.srtt += (rtt - f.srtt) / 8
}

// detect marks as lost what was sent long enough before a segment that has arrived.
func (f *flow) detect(now time.Time, order uint64) {
	for _, s := range f.segs {
		if s.acked || s.lost || s.order+reorder >= order {
			continue
		}
		s.lost = true
		f.inFlight -= len(s.data) + headerSize
		if s.order > f.recovery {
			f.recovery = f.order
			f.cc.loss(now, f.inFlight)
		}
	}
}

// forget drops what is acknowledged in sequence.
func (f *flow) forget() {
	i := 0
	for i < len(f.segs) && f.segs[i].acked {
		f.una = f.segs[i].seq + uint64(len(f.segs[i].data))
		if f.segs[i].fin {
			f.una++
		}
		f.segs[i] = nil
		i++
	}
	f.segs = f.segs[i:]
}

// arm sets the retransmission timer anew, as long as something is out.
func (f *flow) arm(now time.Time) {
	f.rtoEpoch++
	if len(f.segs) == 0 || f.dead {
		return
	}
	rto := time.Second
	if f.srtt > 0 {
		rto = f.srtt + max(4*f.rttvar, minRTO)
	}
	rto = min(rto<<min(f.backoff, 20), maxRTO)
	epoch := f.rtoEpoch
	f.n.at(now.Add(rto), func(now time.Time) {
		if epoch == f.rtoEpoch {
			f.timeout(now)
		}
	})
}

// timeout takes everything for lost (RFC 6298 §5.4–5.6).
func (f *flow) timeout(now time.Time) {
	f.backoff++
	for _, s := range f.segs {
		if !s.acked {
			s.lost = true
		}
	}
	f.inFlight = 0
	f.recovery = f.order
	f.cc.timeout(now)
	f.next = now
	f.push(now)
}

// stop ends the sender for good.
func (f *flow) stop() {
	f.dead = true
	f.rtoEpoch++
	f.unsent, f.segs, f.inFlight = nil, nil, 0
}
