package plaintest

import "time"

const (
	dupThreshold = 3 // segments acknowledged beyond a hole that make it a loss at once
	minRTO       = 200 * time.Millisecond
	maxRTO       = 120 * time.Second
)

// phase is how a sender takes its losses.
type phase uint8

const (
	phaseOpen     phase = iota
	phaseRecovery       // fast recovery (RFC 6675)
	phaseLoss           // after a retransmission time-out
)

// recovery is a sender's loss recovery: RACK-TLP (RFC 8985), with the retransmission time-out behind it.
type recovery struct {
	state   phase
	end     uint64 // sequence number whose acknowledgement ends it
	newest  uint64 // order of the newest sending that has arrived
	probed  bool   // a tail loss probe is out
	backoff int
	what    byte // what the timer is for: 'r' reordering, 'p' probe, 't' time-out
}

// detect marks as lost what was sent before something that has arrived, at once when enough has, or after a quarter of
// a round trip (RFC 8985 §6.2).
func (f *flow) detect(now time.Time, ack *ackInfo) {
	r := &f.recovery
	if f.sacked == 0 {
		return
	}
	sure := r.state != phaseOpen || f.sacked >= dupThreshold
	lost, late := 0, time.Time{}
	for _, s := range f.segs {
		if s.acked || s.lost || s.order >= r.newest {
			continue
		}
		if at := s.sentAt.Add(f.rtt.srtt + f.rtt.min/4); !sure && at.After(now) {
			late = at
			continue
		}
		s.lost = true
		f.lost++
		f.inFlight -= s.size()
		lost += s.size()
	}
	if ack != nil {
		ack.lost = lost
	}
	if lost > 0 && r.state == phaseOpen {
		r.state, r.end = phaseRecovery, f.nxt
		f.cc.loss(now, f.inFlight)
	}
	if lost == 0 && !late.IsZero() {
		r.what = 'r'
		f.timer.set(f.n, late)
	}
}

// leaveRecovery ends a recovery whose losses are all repaired.
func (f *flow) leaveRecovery() {
	if r := &f.recovery; r.state != phaseOpen && f.una >= r.end {
		r.state = phaseOpen
	}
}

// rto is the retransmission time-out (RFC 6298, with Linux's least variation of 200 ms).
func (f *flow) rto() time.Duration {
	if f.rtt.srtt == 0 {
		return time.Second
	}
	return min((f.rtt.srtt+max(4*f.rtt.rttvar, minRTO))<<min(f.recovery.backoff, 20), maxRTO)
}

// arm sets the timer anew, as long as something is out: a probe of the tail first, then the time-out.
func (f *flow) arm(now time.Time) {
	if len(f.segs) == 0 || f.dead {
		f.timer.at = time.Time{}
		return
	}
	r := &f.recovery
	if r.what == 'r' && !f.timer.at.IsZero() && f.timer.at.After(now) && f.sacked > 0 && r.state == phaseOpen {
		return
	}
	r.what = 't'
	wait := f.rto()
	if r.state == phaseOpen && !r.probed && f.rtt.srtt > 0 && f.lost == 0 && f.sacked == 0 {
		probe := 2 * f.rtt.srtt
		if f.inFlight <= packetSize {
			probe += minRTO // the receiver may delay its acknowledgement (RFC 8985 §7.2)
		}
		if probe < wait {
			wait, r.what = probe, 'p'
		}
	}
	f.timer.at = time.Time{}
	f.timer.set(f.n, now.Add(wait))
}

// expired is the timer.
func (f *flow) expired(now time.Time) {
	if f.dead || len(f.segs) == 0 {
		return
	}
	switch f.recovery.what {
	case 'r':
		f.recovery.what = 0
		f.late(now)
	case 'p':
		f.probe(now)
	default:
		f.timeout(now)
	}
}

// late is the end of the patience with reordering.
func (f *flow) late(now time.Time) {
	f.detect(now, nil)
	if f.timer.at.IsZero() {
		f.arm(now)
	}
	f.push(now)
}

// probe sends something at the tail, so that its acknowledgement tells what is missing (RFC 8985 §7.3).
func (f *flow) probe(now time.Time) {
	f.recovery.probed = true
	var s *segment
	if len(f.unsent) > 0 {
		s = f.cut(now)
	} else if s = f.segs[len(f.segs)-1]; s.acked || s.lost {
		f.arm(now)
		return
	} else {
		f.inFlight -= s.size()
		s.again = true
		f.retransmits++
	}
	f.transmit(now, s)
	f.arm(now)
}

// timeout takes everything for lost (RFC 6298 §5.4–5.6).
func (f *flow) timeout(now time.Time) {
	r := &f.recovery
	r.backoff++
	for _, s := range f.segs {
		if !s.acked && !s.lost {
			s.lost = true
			f.lost++
		}
	}
	f.inFlight = 0
	r.state, r.end, r.probed = phaseLoss, f.nxt, false
	f.cc.timeout(now)
	f.next = now
	f.arm(now)
	f.push(now)
}
