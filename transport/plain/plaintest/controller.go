package plaintest

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// ackInfo is what a controller learns from an acknowledgement. Bytes are those on the wire.
type ackInfo struct {
	bytes     int
	lost      int           // newly taken for lost
	rtt       time.Duration // 0: not measured
	minRTT    time.Duration
	inFlight  int     // after it
	before    int     // in flight before it
	delivered uint64  // in all
	prior     uint64  // delivered when the newest of them was sent
	rate      float64 // bytes/s; 0: not measured
	una, nxt  uint64  // sequence numbers: next to be acknowledged in order, next to be sent
	short     bool    // the sender had too little to send: the rate says little
	state     phase
}

// controller is a congestion control, as simple as it can be and still react as Linux's does.
type controller interface {
	ack(now time.Time, a ackInfo)
	loss(now time.Time, inFlight int) // fast recovery begins
	timeout(now time.Time)
	idle(pause, rto time.Duration) // sending begins again after a pause
	window() int                   // bytes
	rate() float64                 // pacing, bytes/s; 0: none
}

func newController(name string, random *rand.Rand) controller {
	switch name {
	case "bbr":
		return newBBR(random)
	case "cubic":
		return &cubic{cwnd: initialWindow, ssthresh: 1 << 40}
	case "reno":
		return &reno{cwnd: initialWindow, ssthresh: 1 << 40}
	}
	panic(fmt.Sprintf("BUG: plaintest: unknown congestion control %q", name))
}

// reno is RFC 5681.
type reno struct{ cwnd, ssthresh float64 }

func (r *reno) ack(_ time.Time, a ackInfo) {
	if float64(a.before) < r.cwnd/2 || a.state == phaseRecovery {
		return // not limited by the window
	}
	if r.cwnd < r.ssthresh {
		r.cwnd += float64(a.bytes)
	} else {
		r.cwnd += packetSize * float64(a.bytes) / r.cwnd
	}
}

func (r *reno) loss(time.Time, int) {
	r.ssthresh = max(r.cwnd/2, 2*packetSize)
	r.cwnd = r.ssthresh
}

func (r *reno) timeout(time.Time) {
	r.ssthresh = max(r.cwnd/2, 2*packetSize)
	r.cwnd = packetSize
}

func (r *reno) idle(pause, rto time.Duration) { r.cwnd = restarted(r.cwnd, pause, rto) }

func (r *reno) window() int   { return int(r.cwnd) }
func (r *reno) rate() float64 { return 0 }

// restarted halves a window for each time-out of a pause (RFC 2861, Linux's tcp_slow_start_after_idle).
func restarted(cwnd float64, pause, rto time.Duration) float64 {
	for ; pause > rto && cwnd > initialWindow; pause -= rto {
		cwnd = max(cwnd/2, initialWindow)
	}
	return cwnd
}
