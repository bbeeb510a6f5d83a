package cc

import "time"

const (
	minSegments = 4 // MinPipeCwnd: two in flight each way with an acknowledgement for every second segment
	maxQuantum  = 64 << 10
)

func (b *bbr) minPipe() int { return min(minSegments*b.mss, maxWindow) }

func (b *bbr) startRound() { b.round.restart(b.delivered) }

// firstPacingRate spreads the initial window over the first RTT (draft-ietf-ccwg-bbr, section 5.6.2).
func (b *bbr) firstPacingRate() {
	if b.paced || b.sample.RTT == 0 {
		return
	}
	b.paced = true
	b.pacingRate = clamp(startupPacingGain*float64(b.cwnd)/b.sample.RTT.Seconds(), 1, maxRate)
}

// setPacingRate paces 1 % below the estimate; before the path was full once, it never slows down.
func (b *bbr) setPacingRate(gain float64) {
	rate := clamp(gain*float64(b.bw())*pacingMargin, 1, maxRate)
	if b.bw() > 0 && (b.pipe.reached || rate > b.pacingRate) {
		b.pacingRate = rate
	}
}

// quantum is the size of a burst that the sender may hand over at once (section 5.6.3).
func (b *bbr) quantum() int {
	return max(min(clamp(float64(b.pacingRate)*time.Millisecond.Seconds(), 0, maxRate), maxQuantum), 2*b.mss)
}

// bdpMultiple is gain times the BDP, or the initial window without a sample.
func (b *bbr) bdpMultiple(gain float64) int {
	if b.minRTT == 0 || b.bw() == 0 {
		return initialWindow(b.mss)
	}
	return clamp(gain*float64(b.bw())*b.minRTT.Seconds(), 0, maxWindow)
}

// inflight adds to a volume what bursts and delayed acknowledgements need (section 5.6.4.2).
func (b *bbr) inflight(volume int) int {
	volume = max(volume, 3*b.quantum(), b.minPipe())
	if b.state == probeUp {
		volume += 2 * b.mss
	}
	return min(volume, maxWindow)
}

// setCwnd follows the model: down at once, up by what is acknowledged (section 5.6.4.6).
func (b *bbr) setCwnd() {
	target := b.inflight(b.bdpMultiple(b.cwndGain) + b.extraAcked)
	switch {
	case b.pipe.reached:
		b.cwnd = min(b.cwnd+b.sample.Bytes, target)
	case b.cwnd < target || b.delivered < int64(initialWindow(b.mss)):
		b.cwnd = min(b.cwnd+b.sample.Bytes, maxWindow)
	}
	b.cwnd = max(b.cwnd, b.minPipe())
	if b.state == probeRTT {
		b.cwnd = min(b.cwnd, b.probeRTTCwnd())
	}
	b.boundCwnd()
}

// boundCwnd applies the volumes that congestion has taught (section 5.6.4.7).
func (b *bbr) boundCwnd() {
	bound := unlimited
	switch {
	case b.state == probeRTT || b.state == probeCruise:
		bound = b.withHeadroom()
	case b.inProbeBW():
		bound = b.inflightLong
	}
	b.cwnd = min(b.cwnd, max(min(bound, b.inflightShort), b.minPipe()))
}
