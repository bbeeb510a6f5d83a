package link

import "time"

// shaper is one direction of a line. It is pure: time comes in as an argument.
type shaper struct {
	rate  int           // bit/s
	delay time.Duration // one way
	free  time.Time     // when the last bit of what was taken so far leaves the line
}

// queueTime is how much may wait for the line, as time.
const queueTime = 20 * time.Millisecond

// wait is how long a chunk must be held back because the queue is full; 0 or less: not at all.
func (s *shaper) wait(now time.Time) time.Duration { return s.free.Sub(now.Add(queueTime)) }

// pass takes a chunk of n bytes and says when it arrives.
func (s *shaper) pass(now time.Time, n int) time.Time {
	if s.free.Before(now) {
		s.free = now
	}
	s.free = s.free.Add(time.Duration(int64(n) * 8 * int64(time.Second) / int64(s.rate)))
	return s.free.Add(s.delay)
}

// underWay is how many bytes fill queue and line, and two chunks: one is being read, one delivered.
func (s *shaper) underWay() int {
	return int(float64(s.rate)/8*(s.delay+queueTime).Seconds()) + 2*chunkSize
}
