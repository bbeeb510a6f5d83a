package plain

import "time"

// meterSpan is the least time over which a rate is measured.
const meterSpan = 20 * time.Millisecond

// rateMeter measures a byte count's rate, smoothed over some meterSpans.
type rateMeter struct {
	since time.Time // start of the span
	from  uint64    // count at the start
	rate  int       // bytes/s; 0: not known yet
}

// add takes in the count reached at the time given; times must not go back by much.
func (m *rateMeter) add(at time.Time, count uint64) {
	if m.since.IsZero() {
		m.since, m.from = at, count
		return
	}
	span := at.Sub(m.since)
	if span < meterSpan {
		return
	}
	rate := int(float64(count-m.from) / span.Seconds())
	if rate > m.rate {
		m.rate += (rate - m.rate) / 2
	} else {
		m.rate -= (m.rate - rate) / 4
	}
	m.since, m.from = at, count
}

// in is the number of bytes in a time at the measured rate.
func (m *rateMeter) in(d time.Duration) int {
	return int(int64(m.rate) * int64(d) / int64(time.Second))
}
