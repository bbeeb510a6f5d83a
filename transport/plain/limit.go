package plain

import "time"

const (
	// limitMin is the least limit of unsent bytes: 16 kB is enough to keep a slow path busy (measured: 30 kB of backlog
	// in place of 2 MB, no loss of throughput).
	limitMin = 16 << 10
	limitMax = 512 << 10
	// limitShare of the sending rate, as time: 16 kB at 200 Mbit/s, 80 kB at 1 Gbit/s, 240 kB at 3 Gbit/s. The time
	// covers the wake-up of the loop through two goroutines.
	limitShare = 640 * time.Microsecond
	// stagedRecords bounds the DATA records of one Flush, and with it the length of the gathered write.
	stagedRecords = 128
)

// limit is how many bytes may lie unsent in the local system before the subflow takes no more: late scheduling.
type limit struct {
	n    int       // bytes; the kernel is told twice of it
	rate rateMeter // of the peer's acknowledgements
}

// acked takes in how far the peer has acknowledged; it returns the limit to set, 0: leave it.
func (l *limit) acked(at time.Time, offset uint64) int {
	l.rate.add(at, offset)
	want := min(max(l.rate.in(limitShare), limitMin), limitMax)
	if want > l.n+l.n/4 || want < l.n/2 {
		l.n = want
		return want
	}
	return 0
}

// room is how many payload bytes may be staged with unsent bytes below and staged bytes beside. A remainder that is
// not worth a record of its own counts as nothing.
func (l *limit) room(unsent, staged int) int {
	n := 2*l.n - unsent - staged
	if n < l.n/4 {
		return 0
	}
	return n
}

// every is after how many bytes the peer acknowledges, as far as is known here.
func (l *limit) every() int { return ackEvery(&l.rate) }

// chunk is the most payload that one record should carry: a record is delivered whole, so a slow path wants short ones.
func (l *limit) chunk() int { return min(l.n, MaxPayload) }
