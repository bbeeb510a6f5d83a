package cc

import (
	"errors"
	"time"
)

const (
	// fallbackRTT stands in until there is a sample: the first flight must reach at least this far.
	fallbackRTT = 100 * time.Millisecond
	// maxPacedRTT bounds the RTT that the window is made for, so that a queue that grows cannot grow the window.
	maxPacedRTT = time.Second
	// pacedWindow is the least time for which the smallest RTT is remembered.
	pacedWindow = 10 * time.Second
)

// paced sends at the rate it was given, whatever is lost: for an uplink whose rate its owner has stated, and for
// benchmarks and tests that want the path's behaviour and not a controller's. The window is twice what the rate
// fills in the smallest RTT of the last 10 to 20 s, at most 1 s of it, which stops the flow within two round trips
// when acknowledgements cease. Loss and marks change nothing (a wrong rate harms others: no configuration offers
// this controller); only after a time-out is the window one segment until something is acknowledged.
type paced struct {
	mss, rate int
	min       [2]time.Duration // smallest RTT of this span and of the last; 0: none
	spanStart time.Time
	stopped   bool // a time-out has expired and nothing was acknowledged since
}

func newPaced(c Config) (*paced, error) {
	if c.Rate < 1 {
		return nil, errors.New(`cc: "paced" needs a rate of at least 1 byte/s`)
	}
	return &paced{mss: c.MSS, rate: min(c.Rate, maxRate)}, nil
}

func (p *paced) OnSend(time.Time, int, int) {}

func (p *paced) OnAck(now time.Time, a Ack) {
	if a.Bytes > 0 {
		p.stopped = false
	}
	if a.RTT <= 0 {
		return
	}
	if p.spanStart.IsZero() {
		p.spanStart = now
	}
	if now.Sub(p.spanStart) > pacedWindow {
		p.min[1], p.min[0], p.spanStart = p.min[0], 0, now
	}
	if p.min[0] == 0 || a.RTT < p.min[0] {
		p.min[0] = a.RTT
	}
}

func (p *paced) OnLoss(time.Time, Loss)          {}
func (p *paced) OnTimeout(time.Time, int)        { p.stopped = true }
func (p *paced) OnUndo(time.Time)                { p.stopped = false }
func (p *paced) OnRecovered(time.Time)           { p.stopped = false }
func (p *paced) OnIdle(time.Time, time.Duration) {}
func (p *paced) Rate() int                       { return p.rate }
func (p *paced) OwnsRecovery() bool              { return true }
func (p *paced) Name() string                    { return "paced" }

func (p *paced) Window() int {
	if p.stopped {
		return p.mss
	}
	rtt := p.min[0]
	if rtt == 0 || p.min[1] > 0 && p.min[1] < rtt {
		rtt = p.min[1]
	}
	if rtt == 0 {
		rtt = fallbackRTT
	}
	return clamp(2*float64(p.rate)*min(rtt, maxPacedRTT).Seconds(), min(4*p.mss, maxWindow), maxWindow)
}
