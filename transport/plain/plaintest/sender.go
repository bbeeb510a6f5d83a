package plaintest

import "time"

// initialWindow is what a connection may send first (RFC 6928).
const initialWindow = 10 * packetSize

// segment is a run of bytes under way.
type segment struct {
	seq     uint64
	data    []byte
	fin     bool
	order   uint64 // of sending; a retransmission gets a new one
	sentAt  time.Time
	sending mark // the state of the sender then
	again   bool // sent more than once
	lost    bool // and not sent again
	acked   bool // selectively or in order
}

func (s *segment) size() int { return len(s.data) + headerSize }

// sender is the sending half of a flow.
type sender struct {
	unsent   []byte
	closing  bool // a FIN follows unsent
	finSent  bool
	nxt      uint64 // sequence number of unsent[0]
	una      uint64
	order    uint64
	segs     []*segment // sent and not acknowledged in order, by sequence number
	inFlight int        // bytes on the wire, neither acknowledged nor lost
	sacked   int        // segments among segs that are acknowledged
	lost     int        // segments among segs that are lost and not sent again
	cc       controller
	next     time.Time // pacing: when the next segment may leave
	pacer    alarm
	idle     time.Time // when the last segment left

	rtt         rttState
	rate        rateState
	recovery    recovery
	timer       alarm
	segments    uint64
	retransmits uint64
	dead        bool
}

// buffered is what the send buffer holds.
func (s *sender) buffered() int { return len(s.unsent) + int(s.nxt-s.una) }

// burst is how much leaves at once when pacing lets the sender go (Linux: about 1 ms of the rate, at least 2 segments).
const burst = time.Millisecond

// push sends what window and pacing allow: lost segments first.
func (f *flow) push(now time.Time) {
	f.restart(now)
	for !f.dead && f.inFlight < f.cc.window() {
		s := f.firstLost()
		if s == nil && len(f.unsent) == 0 && (!f.closing || f.finSent) {
			f.rate.limited = f.rate.delivered + uint64(max(f.inFlight, 1))
			return
		}
		if pause := f.next.Sub(now); f.cc.rate() > 0 && pause > burst {
			f.pacer.set(f.n, f.next)
			return
		}
		if s == nil {
			s = f.cut(now)
		} else {
			s.lost, s.again = false, true
			f.lost--
			f.retransmits++
		}
		f.transmit(now, s)
	}
}

// restart shrinks the window of a sender that was idle, for controllers that Linux treats so (RFC 5681 §4.1).
func (f *flow) restart(now time.Time) {
	if len(f.segs) == 0 && len(f.unsent) > 0 && !f.idle.IsZero() {
		f.cc.idle(now.Sub(f.idle), f.rto())
	}
}

// firstLost is the first segment to be sent again; nil: none.
func (s *sender) firstLost() *segment {
	if s.lost == 0 {
		return nil
	}
	for _, seg := range s.segs {
		if seg.lost {
			return seg
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
		f.rate.begin(now)
	}
	f.segs = append(f.segs, s)
	f.from.wakeWriter()
	return s
}

// transmit puts a segment on the path.
func (f *flow) transmit(now time.Time, s *segment) {
	f.order++
	f.segments++
	s.order, s.sentAt, s.sending = f.order, now, f.rate.mark()
	f.idle = now
	size := s.size()
	f.inFlight += size
	if r := f.cc.rate(); r > 0 {
		if f.next.Before(now) {
			f.next = now
		}
		f.next = f.next.Add(time.Duration(float64(size) / r * float64(time.Second)))
	}
	if f.timer.at.IsZero() || s.again && f.segs[0] == s {
		f.arm(now)
	}
	order := s.order
	f.path.send(now, packet{size: size, arrive: func(now time.Time) { f.receive(now, s, order) }})
}

// acked is an acknowledgement's arrival: it tells of what the receiver has logged up to an index.
func (f *flow) acked(now time.Time, upTo int) {
	news := f.arrivals(upTo)
	if f.dead || len(news) == 0 {
		return
	}
	before := f.inFlight
	var newest *segment
	got, first := 0, time.Duration(0)
	for _, a := range news {
		s := a.seg
		s.acked = true
		f.sacked++
		got += s.size()
		if s.lost {
			s.lost = false
			f.lost--
		} else {
			f.inFlight -= s.size()
		}
		f.recovery.newest = max(f.recovery.newest, a.order)
		if a.order != s.order {
			continue // an earlier sending: says nothing about times
		}
		if newest == nil || s.order > newest.order {
			newest = s
		}
		if !s.again && first == 0 {
			first = now.Sub(s.sentAt)
		}
	}
	ack := f.sample(now, got, newest)
	f.rtt.add(now, first)
	ack.rtt, ack.minRTT, ack.before = ack.latest(now, newest), f.rtt.min, before
	f.detect(now, &ack)
	f.forget()
	ack.inFlight, ack.una, ack.nxt = f.inFlight, f.una, f.nxt
	f.leaveRecovery()
	ack.state = f.recovery.state
	f.cc.ack(now, ack)
	f.recovery.backoff, f.recovery.probed = 0, false
	f.arm(now)
	f.from.wakeWriter()
	f.push(now)
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
		f.sacked--
		i++
	}
	f.segs = f.segs[i:]
}
