package tcp

import "time"

// pacer spreads what leaves over time at the controller's rate, to the millisecond: what is due within one leaves at
// once, and it never asks for a timer of less. Who waited for a timer instead would leave a path idle whose round trip
// is shorter than that.
type pacer struct {
	next   instant // what was sent takes until then at the rate
	wakeAt instant // Emit was held back until then; 0: it was not
}

const (
	paceQuantum = time.Millisecond
	// paceCredit bounds what a late timer may catch up.
	paceCredit = 4 * time.Millisecond
)

// allows tells whether something paced may leave now.
func (p *pacer) allows(now instant) bool {
	if p.next < now+paceQuantum {
		return true
	}
	p.wakeAt = p.next
	return false
}

// sent charges n bytes at rate, bytes/s.
func (p *pacer) sent(now instant, n, rate int) {
	if rate <= 0 {
		p.next = 0
		return
	}
	p.next = max(p.next, now-paceCredit) + time.Duration(float64(n)/float64(rate)*float64(time.Second))
}

// maxSuper is the largest payload of a super-segment: with headers it stays below the 64 kB of an IP packet.
const maxSuper = 62000

// SuperSegment is how many payload bytes one segment may carry now: about a millisecond of the rate, at least two
// packets and at most 62 kB, whole packets (all that one mapping should cover).
func (m *Machine) SuperSegment() int {
	mss := max(m.mtu.mss, 1)
	if m.control == nil {
		return 2 * mss
	}
	rate := m.control.Rate()
	if rate == 0 && m.rtt.smoothed > 0 {
		rate = int(float64(m.control.Window()) * float64(time.Second) / float64(m.rtt.smoothed))
	}
	n := min(max(rate/1000, 2*mss), maxSuper)
	return max(n-n%mss, mss)
}
