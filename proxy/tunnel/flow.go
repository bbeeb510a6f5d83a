package tunnel

import (
	"sync/atomic"
	"time"
)

const (
	// bulkRate is the rate, bytes/s, beyond which a stream fills its bucket: calls and keystrokes stay below, any
	// download is above. On slow lines it is a quarter of what they carry.
	bulkRate = 64 << 10
	// bulkSeconds × rate is the bucket: a stream that has filled it is bulk. A page or a picture is not.
	bulkSeconds = 2
	// bulkBacklog is a backlog, bytes, that only bulk leaves.
	bulkBacklog = 64 << 10
	// bulkHold is for how long a session counts as busy with bulk after the last of it: a pause, or an uplink that is
	// being replaced, is no end.
	bulkHold = 2 * time.Second
)

// bulkLimit is the rate from which a stream over t counts as bulk, bytes/s.
func bulkLimit(t Transport) int {
	if r := t.Rate(); r > 0 {
		return min(bulkRate, max(r/4, 1))
	}
	return bulkRate
}

// flow tells whether a stream is bulk: a bucket that leaks at a rate, in seconds of it. Two goroutines use it, one for
// each direction; what one of them overwrites of the other is of no importance. The zero value is ready.
type flow struct {
	level atomic.Int64 // bytes
	at    atomic.Int64 // Unix time in ns of the last look
}

// add counts n bytes at a moment and a rate in bytes/s, and tells whether the stream is bulk.
func (f *flow) add(now time.Time, n, rate int) bool {
	t := now.UnixNano()
	leaked := int64(float64(rate) * time.Duration(t-f.at.Swap(t)).Seconds())
	most := int64(2 * bulkSeconds * rate)
	level := min(max(f.level.Load()-leaked, 0)+int64(n), most)
	f.level.Store(level)
	return level >= int64(bulkSeconds*rate)
}
