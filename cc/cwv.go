package cc

import "time"

const (
	// nonValidatedPeriod is how long a window that is not used is kept (RFC 7661, section 5).
	nonValidatedPeriod = 5 * time.Minute
	// pipeACKSlots divides the sampling period (RFC 7661, section 4.5.1).
	pipeACKSlots = 5
)

// validation is congestion window validation (RFC 7661): a window that the sender has not filled says nothing about
// the path, so it may not grow, answers congestion by what was really in flight, and shrinks after five minutes. It
// is kept until then, so that a pause costs nothing; what follows the pause is paced, which is the burst limit of
// section 4.4.2. Model-based control (BBR) needs none of it, since it leaves samples out that the application limited.
type validation struct {
	pipe      maxFilter // bytes acknowledged per round trip
	slotStart time.Time // of the newest slot; zero: no sample, pipeACK is undefined
	since     time.Time // when the window was first found not to be validated; zero: it is
}

// sample takes what one acknowledgement says about the volume of the last round trip (section 4.2).
func (v *validation) sample(now time.Time, srtt time.Duration, a Ack) {
	v.advance(now, srtt)
	v.pipe.put(int(min(a.Delivered-a.PriorDelivered, maxWindow)))
}

// advance forgets what is older than the sampling period, max(3*RTT, 1 s).
func (v *validation) advance(now time.Time, srtt time.Duration) {
	if v.slotStart.IsZero() {
		v.slotStart = now
		return
	}
	width := max(3*srtt, time.Second) / pipeACKSlots
	if n := now.Sub(v.slotStart) / width; n > 0 {
		v.pipe.advance(int(min(n, filterSlots)))
		v.slotStart = v.slotStart.Add(n * width)
	}
}

// reset makes pipeACK undefined, as it is after recovery (section 4.2): what was acknowledged in it is no measure.
func (v *validation) reset() { *v = validation{} }

func (v *validation) pipeACK() int { return v.pipe.max(pipeACKSlots) }

// validated is true in the validated phase (section 4.3). full: the window was filled within the last two round
// trips; what fills it now is acknowledged one round trip later only, and until then says the same as pipeACK.
func (v *validation) validated(window int, full bool) bool {
	return v.slotStart.IsZero() || full || 2*v.pipeACK() >= window
}

// expired follows the non-validated phase and counts how many of its periods have ended (section 4.4.3).
func (v *validation) expired(now time.Time, valid bool) int {
	if valid {
		v.since = time.Time{}
		return 0
	}
	if v.since.IsZero() {
		v.since = now
	}
	n := max(now.Sub(v.since)/nonValidatedPeriod, 0)
	v.since = v.since.Add(n * nonValidatedPeriod)
	return int(n)
}
