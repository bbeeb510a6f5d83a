package scheduler

import (
	"math"
	"time"
)

// What is assumed of a path that was not measured yet, so that it gets something to be measured with, and no more.
const (
	firstFlight = 10 * 1448              // bytes a round trip: TCP's initial window (RFC 6928)
	firstRTT    = 100 * time.Millisecond // unless another path is slower than that
	trial       = 32 << 10               // bytes in flight at most
)

// estimate is when a path would deliver a chunk that is given to it now. Times are seconds from now.
type estimate struct {
	id    int
	rate  float64 // bytes/s
	way   float64 // of a byte when nothing waits
	start float64 // when a first byte would arrive
	at    float64 // when the whole chunk would have arrived
	open  bool    // it takes bytes now
	known bool    // round trip and rate are measured
	full  bool    // and the rate is all that the path has
	level int     // bytes in flight
}

// estimateOf is start = queue/rate + way + variation, at = start + size/rate. The queue is what waits in the local
// system and in the network: what is in flight beyond rate × MinRTT. It is in SRTT too, a round trip late, and is
// taken out there. slowest is the largest round trip of the other paths.
func estimateOf(p *Path, size int, slowest time.Duration) estimate {
	e := estimate{id: p.ID, full: p.Settled, rate: float64(p.Rate), known: p.SRTT > 0 && p.Rate > 0, level: p.InFlight}
	srtt, least := p.SRTT.Seconds(), p.MinRTT.Seconds()
	if srtt <= 0 {
		srtt = max(firstRTT, slowest, p.MinRTT).Seconds()
	}
	if e.rate <= 0 {
		e.rate = firstFlight / srtt
	}
	if least <= 0 {
		least = srtt
	}
	e.way = least / 2
	queue := max(float64(p.Unsent), float64(p.InFlight)-e.rate*least, 0) / e.rate
	e.start = queue + max(srtt-queue, least)/2 + p.RTTVar.Seconds()
	e.at = e.start + float64(size)/e.rate
	return e
}

// drained is when paths together would have delivered n bytes given to them now: each takes what it can deliver until
// then, and one that starts later than that takes nothing. paths is not empty.
func drained(paths []estimate, n int) float64 {
	at := math.Inf(1)
	for range paths { // each round leaves out those that start too late for the round before
		volume, rate := float64(n), float64(0)
		for i := range paths {
			if f := &paths[i]; f.start < at {
				volume += f.rate * f.start
				rate += f.rate
			}
		}
		if rate == 0 || volume/rate >= at {
			break
		}
		at = volume / rate
	}
	return at
}
