package plain

import "time"

// Linux's BBR measures its least round trip anew when that is 10 s old, and stops sending for 200 ms to do so. The first
// acknowledgement after a pause is as good a measurement, and saves it that, unless it is one that the peer's system may
// have held back: one for a single small segment. And that is just what begins a transfer after a pause, a request, the
// acknowledgement of one or a probe. So whoever came back to a connection found it stopped for 200 ms, a round trip after
// the start: measured on two links of 50 Mbit/s, the first 2 s of a transfer gave 87 Mbit/s in place of 93. A few bytes
// more in the first write after a pause, and there is no stop.
//
// They leave behind the data: of a connection that has only ever carried small requests BBR takes the rate to be some
// 100 kB/s, and by its pacing what is in a second segment leaves 14 ms after the first.
const (
	// padTo is more than one full segment of payload, on any usual path.
	padTo = 1500
	// padPause is how long nothing must have been written, so that nothing is under way.
	padPause = 250 * time.Millisecond
	// padEvery is half of what BBR's measurement lasts for.
	padEvery = 5 * time.Second
)

// pad fills the first write after a pause when data may follow. A probe of an idle session stays small: it costs a
// metered uplink as little as can be.
func (s *Subflow) pad(now time.Time) {
	if s.out.empty() {
		return
	}
	pause := now.Sub(s.wrote) > padPause
	s.wrote = now
	if s.congestion != "bbr" || !pause || now.Sub(s.padded) < padEvery || !s.carries || !s.sh.established.Load() {
		return
	}
	s.padded, s.carries = now, false
	if missing := padTo - len(s.out.control) - s.out.unwritten(); missing > 0 {
		s.out.tail = s.out.seal.appendRecord(s.out.tail, typePad, make([]byte, missing))
	}
}
