package plaintest

import (
	"fmt"
	"time"
)

// ackInfo is what a controller learns from an acknowledgement.
type ackInfo struct {
	bytes     int
	rtt       time.Duration // 0: not measured
	minRTT    time.Duration
	inFlight  int
	delivered uint64
	rate      float64 // bytes/s on the wire
	short     bool    // the sender had too little to send: the rate says little
}

// controller is a congestion control, as simple as it can be and still react as the real one does.
type controller interface {
	ack(now time.Time, a ackInfo)
	loss(now time.Time, inFlight int)
	timeout(now time.Time)
	window() int   // bytes
	rate() float64 // pacing, bytes/s; 0: none
}

func newController(name string) controller {
	const initial = 10 * (segmentSize + headerSize) // RFC 6928
	switch name {
	case "bbr":
		return &bbr{cwnd: initial, startup: true}
	case "reno":
		return &reno{cwnd: initial, ssthresh: 1 << 40}
	}
	panic(fmt.Sprintf("BUG: plaintest: unknown congestion control %q", name))
}

const packetSize = segmentSize + headerSize

// reno is RFC 5681 with CUBIC's gentler cut.
type reno struct{ cwnd, ssthresh float64 }

func (r *reno) ack(_ time.Time, a ackInfo) {
	if float64(a.inFlight+a.bytes) < r.cwnd/2 {
		return // not limited by the window
	}
	if r.cwnd < r.ssthresh {
		r.cwnd += float64(a.bytes)
	} else {
		r.cwnd += packetSize * float64(a.bytes) / r.cwnd
	}
}

func (r *reno) loss(time.Time, int) {
	r.ssthresh = max(r.cwnd*0.7, 2*packetSize)
	r.cwnd = r.ssthresh
}

func (r *reno) timeout(time.Time) {
	r.ssthresh = max(r.cwnd*0.7, 2*packetSize)
	r.cwnd = packetSize
}

func (r *reno) window() int   { return int(r.cwnd) }
func (r *reno) rate() float64 { return 0 }

// bbr paces at the highest delivery rate of the last ten round trips, and probes for more once in eight.
type bbr struct {
	cwnd    float64
	startup bool
	full    float64 // rate at the last growth
	stale   int     // rounds without growth
	round   uint64  // delivered count that ends the round
	rounds  int
	best    [10]float64 // rate per round, newest at rounds % 10
	rtt     time.Duration
	lost    bool // since a timeout
}

func (b *bbr) ack(_ time.Time, a ackInfo) {
	if a.minRTT > 0 {
		b.rtt = a.minRTT
	}
	slot := &b.best[b.rounds%len(b.best)]
	if a.rate > *slot && (!a.short || a.rate > b.bandwidth()) {
		*slot = a.rate
	}
	b.lost = false
	if a.delivered < b.round {
		return
	}
	b.round = a.delivered + uint64(a.inFlight)
	b.endRound(a.short)
}

// endRound looks for the end of the start-up phase.
func (b *bbr) endRound(short bool) {
	bw := b.bandwidth()
	if b.startup && !short {
		if bw > 1.25*b.full {
			b.full, b.stale = bw, 0
		} else if b.stale++; b.stale >= 3 {
			b.startup = false
		}
	}
	if short { // an application-limited round keeps the estimate
		return
	}
	b.rounds++
	b.best[b.rounds%len(b.best)] = 0
}

// bandwidth is the path's, as far as it is known: at first the initial window in a round trip.
func (b *bbr) bandwidth() (m float64) {
	if b.startup && b.rtt > 0 {
		m = b.cwnd / b.rtt.Seconds()
	}
	for _, r := range b.best {
		m = max(m, r)
	}
	return m
}

func (b *bbr) loss(time.Time, int)      {}
func (b *bbr) timeout(time.Time)        { b.lost = true }
func (b *bbr) bdp(gain float64) float64 { return gain * b.bandwidth() * b.rtt.Seconds() }

func (b *bbr) window() int {
	switch {
	case b.lost:
		return packetSize
	case b.startup:
		return int(max(b.cwnd, b.bdp(2.89)))
	}
	return int(max(4*packetSize, b.bdp(2)))
}

func (b *bbr) rate() float64 {
	bw := b.bandwidth()
	switch {
	case bw == 0 || b.rtt == 0:
		return 0
	case b.startup:
		// As in Linux: while it starts, BBR never paces below the initial window in a round trip, however little an
		// idle application has let it measure.
		return 2.77 * max(bw, b.cwnd/b.rtt.Seconds())
	}
	switch b.rounds % 8 {
	case 0:
		return 1.25 * bw
	case 1:
		return 0.75 * bw
	}
	return bw
}
