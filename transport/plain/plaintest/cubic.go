package plaintest

import (
	"math"
	"time"
)

// Constants of CUBIC (RFC 9438) and of its start (HyStart, Ha and Rhee 2011), with Linux's values.
const (
	cubicC     = 0.4
	cubicBeta  = 0.7
	hyLow      = 16 * packetSize // window below which the start is not watched
	hySamples  = 8               // round trips that tell of a queue
	hyDelayMin = 4 * time.Millisecond
	hyDelayMax = 16 * time.Millisecond
)

// cubic is RFC 9438 with HyStart. Windows are in bytes.
type cubic struct {
	cwnd, ssthresh float64
	lastMax        float64
	epoch          time.Time // when the growth under way began; zero: none does
	k              float64   // seconds until the window is back at its origin
	origin         float64
	friendly       float64 // what reno's window would be
	minRTT         time.Duration

	roundEnd uint64        // sequence number whose acknowledgement ends the round
	least    time.Duration // of the round's first samples
	samples  int
}

func (c *cubic) ack(now time.Time, a ackInfo) {
	if a.minRTT > 0 {
		c.minRTT = a.minRTT
	}
	if a.state == phaseRecovery {
		// Proportional rate reduction (RFC 6937): the window falls as what was in flight is delivered.
		c.cwnd = max(c.ssthresh, c.cwnd-(1-cubicBeta)*float64(a.bytes))
		return
	}
	slow := c.cwnd < c.ssthresh
	if slow {
		c.watchStart(a)
	}
	switch limited := float64(a.before) >= c.cwnd-2*packetSize; {
	case slow && c.cwnd < c.ssthresh:
		if limited || c.cwnd < 2*float64(a.before) {
			c.cwnd += float64(a.bytes)
		}
	case slow:
	case limited:
		c.grow(now, a)
	default:
		c.epoch = time.Time{}
	}
}

// grow is congestion avoidance.
func (c *cubic) grow(now time.Time, a ackInfo) {
	if c.epoch.IsZero() {
		c.epoch, c.friendly = now, c.cwnd
		c.origin, c.k = max(c.lastMax, c.cwnd), 0
		if c.cwnd < c.lastMax {
			c.k = math.Cbrt((c.lastMax - c.cwnd) / packetSize / cubicC)
		}
	}
	t := now.Sub(c.epoch).Seconds() + c.minRTT.Seconds() - c.k
	target := c.origin + cubicC*t*t*t*packetSize
	step := float64(a.bytes) / (100 * c.cwnd / packetSize)
	if target > c.cwnd {
		step = min((target-c.cwnd)/c.cwnd, 0.5) * float64(a.bytes)
	}
	c.friendly += 3 * (1 - cubicBeta) / (1 + cubicBeta) * packetSize * float64(a.bytes) / c.friendly
	if c.friendly > c.cwnd {
		step = max(step, min((c.friendly-c.cwnd)/c.cwnd, 0.5)*float64(a.bytes))
	}
	c.cwnd += step
}

// watchStart ends the slow start when the round trips of a round's first acknowledgements have grown. HyStart's other
// sign, a long train of acknowledgements, is left out: segmentation in bursts tears the kernel's trains, so that it does
// not meet it either.
func (c *cubic) watchStart(a ackInfo) {
	if a.una > c.roundEnd {
		c.roundEnd = a.nxt
		c.least, c.samples = 0, 0
	}
	if c.cwnd < hyLow || a.rtt == 0 {
		return
	}
	if c.samples < hySamples {
		if c.least == 0 || a.rtt < c.least {
			c.least = a.rtt
		}
		c.samples++
	} else if c.least > c.minRTT+min(max(c.minRTT/8, hyDelayMin), hyDelayMax) {
		c.ssthresh = c.cwnd
	}
}

func (c *cubic) loss(time.Time, int) {
	c.reduce()
}

func (c *cubic) timeout(time.Time) {
	c.reduce()
	c.cwnd = packetSize
}

func (c *cubic) reduce() {
	c.epoch = time.Time{}
	if c.cwnd < c.lastMax { // fast convergence
		c.lastMax = c.cwnd * (1 + cubicBeta) / 2
	} else {
		c.lastMax = c.cwnd
	}
	c.ssthresh = max(c.cwnd*cubicBeta, 2*packetSize)
}

func (c *cubic) idle(pause, rto time.Duration) {
	if pause > rto {
		c.ssthresh = max(c.ssthresh, 3*c.cwnd/4)
		c.cwnd = restarted(c.cwnd, pause, rto)
	}
}

func (c *cubic) window() int   { return int(c.cwnd) }
func (c *cubic) rate() float64 { return 0 }
