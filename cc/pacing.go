package cc

import "time"

const (
	// A window that doubles each round trip needs twice the rate to leave in time; elsewhere a little headroom keeps
	// the window, and not the pacing, what limits. These are the figures in wide use.
	slowStartGain = 2.0
	avoidanceGain = 1.2
)

// pacing spreads a window over the smoothed round-trip time.
type pacing struct{ srtt time.Duration }

// sample takes an RTT (RFC 6298, section 2, alpha = 1/8).
func (p *pacing) sample(rtt time.Duration) {
	switch {
	case rtt <= 0:
	case p.srtt == 0:
		p.srtt = rtt
	default:
		p.srtt += (rtt - p.srtt) / 8
	}
}

// rate gives bytes/s for window at gain, 0 before the first sample.
func (p *pacing) rate(window int, gain float64) int {
	if p.srtt <= 0 {
		return 0
	}
	return clamp(gain*float64(window)/p.srtt.Seconds(), 1, maxRate)
}
