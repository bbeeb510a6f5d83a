package netlab

import (
	"fmt"
	"time"
)

// Units of rates in bit/s.
const (
	Kbit int64 = 1_000
	Mbit       = 1_000 * Kbit
	Gbit       = 1_000 * Mbit
)

// Shape is what one direction of a link does to frames. The zero value passes everything at once.
type Shape struct {
	Rate   int64         // bit/s, Ethernet header included, frame check sequence and preamble not; 0: unlimited
	Delay  time.Duration // one way, after the bottleneck
	Jitter time.Duration // the delay wanders within Delay ± Jitter (never under 0) without reordering

	// Reorder is the share of frames (0–1) that are held back after the link, for up to 2 × Jitter or, without jitter,
	// 5 ms, so that later frames overtake them.
	Reorder float64

	Loss  float64 // share of frames (0–1) lost independently, after they have taken their time at the bottleneck
	Burst Burst   // loss in bursts, in addition

	// The queue before the bottleneck, as bytes or as time at Rate; both 0: max(1.5 × rate × base round-trip time,
	// 30 full frames). Frames that find it full are dropped. It has no effect without a rate.
	QueueBytes int
	QueueTime  time.Duration
}

// Burst is the Gilbert–Elliott model: a good state without loss and a bad state.
type Burst struct {
	Enter float64 // probability per frame (0–1) of turning bad; 0: never
	Leave float64 // probability per frame (0–1) of turning good again; the mean length of a burst is 1/Leave frames
	Loss  float64 // share of frames lost in the bad state (0–1); 0 means 1
}

// active reports whether the shape does anything.
func (s Shape) active() bool { return s != Shape{} }

// validate refuses values that have no meaning.
func (s Shape) validate() error {
	shares := []struct {
		name  string
		value float64
	}{
		{"reorder", s.Reorder}, {"loss", s.Loss},
		{"burst enter", s.Burst.Enter}, {"burst leave", s.Burst.Leave}, {"burst loss", s.Burst.Loss},
	}
	for _, v := range shares {
		if !(v.value >= 0 && v.value <= 1) {
			return fmt.Errorf("%s %v is not a share: give a value from 0 to 1", v.name, v.value)
		}
	}
	if s.Rate < 0 || s.Delay < 0 || s.Jitter < 0 || s.QueueBytes < 0 || s.QueueTime < 0 {
		return fmt.Errorf("negative value in %+v: give rates, times and sizes of at least 0", s)
	}
	return nil
}

// minQueueFrames is the smallest default queue, in full frames.
const minQueueFrames = 30

// queueLimit returns the bytes that may wait for the bottleneck. baseRTT is the sum of both directions' delays, frame
// the size of a full frame.
func (s Shape) queueLimit(baseRTT time.Duration, frame int) int {
	if s.QueueBytes > 0 {
		return max(s.QueueBytes, frame)
	}
	if s.QueueTime > 0 {
		return max(bytesIn(s.Rate, s.QueueTime), 2*frame)
	}
	return max(bytesIn(s.Rate, baseRTT)*3/2, minQueueFrames*frame)
}

// bytesIn returns how many bytes a rate in bit/s carries in d.
func bytesIn(rate int64, d time.Duration) int {
	return int(float64(rate) / 8 * d.Seconds())
}

// frameTime returns how long a frame of n bytes takes at a rate in bit/s; 0 for an unlimited rate.
func frameTime(rate int64, n int) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(int64(n) * 8 * int64(time.Second) / rate)
}
