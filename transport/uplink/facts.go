package uplink

import "time"

// Facts is a snapshot of what the board knows of an uplink.
type Facts struct {
	MinRTT      time.Duration // smallest round trip of the last seconds; 0: not measured
	SRTT        time.Duration // smoothed round trip
	Rate        int           // delivery rate of all sessions together, bytes/s; 0: not measured
	InFlight    int           // bytes sent that have not arrived as far as is known, all sessions
	Cap         int           // bytes that may be in flight
	Settled     bool          // Rate has stopped growing: it is the path's, not what was tried so far
	Suspect     time.Time     // silent since; zero: not suspect
	BytesOut    uint64        // payload bytes sent so far
	BytesIn     uint64        // payload bytes received so far
	OutRate     int           // bytes/s sent over the last second
	InRate      int           // bytes/s received over the last second
	Segments    uint64        // segments sent by the systems below, as far as known
	Retransmits uint64        // and sent again
}

// Loss is the share of segments that had to be sent again, 0–1.
func (f Facts) Loss() float64 {
	if f.Segments == 0 {
		return 0
	}
	return min(1, float64(f.Retransmits)/float64(f.Segments))
}

// Facts returns the snapshot.
func (e *Entry) Facts(now time.Time) Facts {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Facts{
		MinRTT: e.minRTT, SRTT: e.srtt, Rate: e.rate.rate(), InFlight: e.flying(), Cap: e.limit(now),
		Settled: e.rate.filled, Suspect: e.suspect,
		BytesOut: e.bytesOut.total, BytesIn: e.bytesIn.total,
		OutRate: e.bytesOut.perSecond(now), InRate: e.bytesIn.perSecond(now),
		Segments: e.segments, Retransmits: e.retransmits,
	}
}

// limit is what may be in flight on the uplink: gain × rate × round trip, what acknowledgements come in bursts of, and
// one chunk.
func (e *Entry) limit(now time.Time) int {
	rate := e.rate.rate()
	if rate == 0 || e.minRTT == 0 {
		return capStart
	}
	product := float64(rate) * (e.minRTT + capSlack + e.stretch()).Seconds()
	if e.rate.filled && !e.draining.IsZero() && now.Before(e.draining.Add(e.srtt)) {
		// Without the allowance for bursts: it would keep the queue standing, and the round trip that is then measured
		// would be longer each time.
		return int(drainGain*product) + capChunk
	}
	// What comes in bursts because of a hole may be a whole round trip's worth, unless the system tells of holes. Where
	// the segments themselves are late there is a queue, which this allowance would only feed.
	room := product
	if e.tells || time.Duration(e.system.max()) > e.minRTT+e.minRTT/2+capSlack {
		room = product / 4
	}
	burst := min(e.extra.most.max(), int(room))
	most := int(e.gain(now)*product) + burst + capChunk
	if !e.rate.filled {
		most = max(most, capStart)
	}
	return most
}

// gain is what may be in flight as a multiple of rate × round trip. minRTT is measured.
func (e *Entry) gain(now time.Time) float64 {
	switch {
	case e.rate.filled:
	case e.late >= lateSign:
		return slowGain
	default:
		return startGain
	}
	switch now.UnixNano() / int64(e.minRTT) % gainCycle {
	case 0:
		return capGain
	case 1:
		return drainGain
	}
	return cruiseGain
}

// stretch is by how much the path itself is longer than its minimum now and then, without a queue: a radio link whose
// round trip wanders between 30 and 70 ms cannot be filled by what is in flight in 30 ms.
func (e *Entry) stretch() time.Duration {
	if !e.rate.filled {
		return 0
	}
	return e.wander.room(e.minRTT)
}

// extraFilter measures by how much acknowledgements run ahead of the rate: a hole in TCP's byte stream holds back
// what came after it, which then arrives at once, and some links deliver in bursts. Without this allowance the cap
// would starve such a path (compare BBRv2's "extra acked").
type extraFilter struct {
	since time.Time // begin of the epoch
	bytes int
	most  window
}

func (x *extraFilter) acked(now time.Time, n, rate int, turned bool) {
	if turned {
		x.most.turn()
	}
	expected := int(float64(rate) * now.Sub(x.since).Seconds())
	// An epoch ends with its slot: over a long one a rate taken for a little too low would look like a burst.
	if turned || x.since.IsZero() || x.bytes <= expected {
		x.since, x.bytes, expected = now, 0, 0
	}
	x.bytes += n
	if over := x.bytes - expected; rate > 0 {
		x.most.add(over)
	}
}

// meterSlots and meterSlot make up the second over which a meter tells a rate.
const (
	meterSlots = 10
	meterSlot  = 100 * time.Millisecond
)

// meter counts bytes and tells how many of them fell into the last second.
type meter struct {
	total uint64
	slots [meterSlots + 1]int
	slot  int64 // number of the newest slot, in units of meterSlot
}

func (m *meter) add(now time.Time, n int) {
	m.turn(now)
	m.total += uint64(n)
	m.slots[m.slot%int64(len(m.slots))] += n
}

// turn clears the slots between the last use and now.
func (m *meter) turn(now time.Time) {
	slot := now.UnixNano() / int64(meterSlot)
	if slot-m.slot > int64(len(m.slots)) {
		m.slots, m.slot = [meterSlots + 1]int{}, slot
		return
	}
	for m.slot < slot {
		m.slot++
		m.slots[m.slot%int64(len(m.slots))] = 0
	}
}

// perSecond leaves out the slot that is still filling.
func (m *meter) perSecond(now time.Time) int {
	m.turn(now)
	sum := 0
	for i, v := range m.slots {
		if int64(i) != m.slot%int64(len(m.slots)) {
			sum += v
		}
	}
	return sum
}
