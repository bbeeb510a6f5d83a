package tcp

import "time"

// rtt estimates the round trip (RFC 6298 §2).
type rtt struct {
	smoothed time.Duration // SRTT; 0: no sample yet
	variance time.Duration // RTTVAR
	latest   time.Duration // the sample of the acknowledgement in hand; 0: none
	min      minFilter
	samples  int
}

// sample takes one measurement in. With timestamps there are many in a round trip, and the weights are divided by
// their expected number, so that the estimators keep their memory (RFC 7323, appendix G).
func (m *Machine) sample(r time.Duration) {
	e := &m.rtt
	e.samples++
	e.min.add(m.now, r)
	if e.smoothed == 0 {
		e.smoothed, e.variance = r, r/2
	} else {
		expected := 1
		if m.mtu.mss > 0 {
			expected = max(1, (m.board.inFlight()+2*m.mtu.mss-1)/(2*m.mtu.mss))
		}
		off := (e.smoothed - r).Abs()
		e.variance += (off - e.variance) / time.Duration(4*expected)
		e.smoothed += (r - e.smoothed) / time.Duration(8*expected)
	}
	m.rto.update(e, m.cfg.MinRTO)
}

// minWindow is how long the least round trip is remembered: a route that has become longer shows after it.
const minWindow = 30 * time.Second

// minFilter is the least of the samples of the last 15 to 30 s.
type minFilter struct {
	value     time.Duration // 0: none
	young     time.Duration // the least of the running half window
	youngFrom instant
}

func (f *minFilter) add(now instant, r time.Duration) {
	if f.youngFrom == 0 || now-f.youngFrom >= minWindow/2 {
		f.value = r
		if f.youngFrom != 0 && f.young < r {
			f.value = f.young
		}
		f.young, f.youngFrom = r, now
		return
	}
	f.young = min(f.young, r)
	if f.value == 0 || r < f.value {
		f.value = r
	}
}
