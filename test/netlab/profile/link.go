package profile

import (
	"fmt"
	"strings"
	"time"
)

// Mbit is 1,000,000 bit/s.
const Mbit int64 = 1_000_000

// FrameSize is a full Ethernet frame in bytes, header included and frame check sequence not.
const FrameSize = 1514

// A Link is what one link does to frames, in each of its directions alike.
type Link struct {
	Rate          int64         // bit/s of the bottleneck, Ethernet headers included
	Delay, Jitter time.Duration // one way, after the bottleneck; the delay wanders within Delay ± Jitter and keeps order
	Reorder       float64       // share of frames (0–1) held back so that later ones overtake them
	Loss          float64       // share of frames (0–1) lost, independently of each other
	QueueBytes    int           // that may wait for the bottleneck; frames that find it full are dropped
}

// minQueueFrames is the smallest default queue, in full frames.
const minQueueFrames = 30

// New makes a link of a rate in bit/s and a one-way delay, without loss and jitter, with the default queue.
func New(rate int64, delay time.Duration) Link {
	l := Link{Rate: rate, Delay: delay}
	return l.queue(3 * delay) // 1.5 × base round-trip time
}

// queue returns the link with a queue of so much time at its rate, at least 30 full frames.
func (l Link) queue(d time.Duration) Link {
	l.QueueBytes = max(int(float64(l.Rate)/8*d.Seconds()), minQueueFrames*FrameSize)
	return l
}

func (l Link) loss(share float64) Link { l.Loss = share; return l }

func (l Link) jitter(d time.Duration) Link { l.Jitter = d; return l }

// RTT is the base round-trip time: both delays, without what frames take and wait at the bottleneck.
func (l Link) RTT() time.Duration { return 2 * l.Delay }

// QueueTime is how long a full queue takes to empty.
func (l Link) QueueTime() time.Duration {
	if l.Rate <= 0 {
		return 0
	}
	return time.Duration(float64(l.QueueBytes) * 8 / float64(l.Rate) * float64(time.Second))
}

// String is rate in Mbit/s, delay in ms and loss in %, as in "100/10/1", then jitter and an unusual queue in ms.
func (l Link) String() string {
	s := fmt.Sprintf("%g/%g/%g", float64(l.Rate)/float64(Mbit), milliseconds(l.Delay), l.Loss*100)
	if l.Jitter > 0 {
		s += fmt.Sprintf(" jitter %g", milliseconds(l.Jitter))
	}
	if l.QueueBytes != l.queue(3*l.Delay).QueueBytes {
		s += fmt.Sprintf(" queue %.0f", milliseconds(l.QueueTime()))
	}
	return s
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// A Profile is a set of uplinks.
type Profile struct {
	Name  string // short, unique among the profiles
	Links []Link
}

// String is the name and the links.
func (p Profile) String() string {
	links := make([]string, len(p.Links))
	for n, l := range p.Links {
		links[n] = l.String()
	}
	return p.Name + ": " + strings.Join(links, " + ")
}

// Rate is the sum of the links' rates in bit/s.
func (p Profile) Rate() (sum int64) {
	for _, l := range p.Links {
		sum += l.Rate
	}
	return sum
}

// Best is the index of the quickest link; of several equally quick ones that of the shortest delay.
func (p Profile) Best() int {
	best := 0
	for n, l := range p.Links {
		b := p.Links[best]
		if l.Rate > b.Rate || l.Rate == b.Rate && l.Delay < b.Delay {
			best = n
		}
	}
	return best
}
