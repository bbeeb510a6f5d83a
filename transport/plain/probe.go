package plain

import (
	"encoding/binary"
	"time"
)

// probe is the one PING that may be outstanding.
type probe struct {
	token [probeLen]byte
	count uint64
	due   bool      // to be sent
	out   bool      // sent, not answered
	at    time.Time // when it left
}

// ask makes a PING due unless one is on its way.
func (p *probe) ask() {
	if p.due || p.out {
		return
	}
	p.count++
	binary.BigEndian.PutUint64(p.token[:], p.count)
	p.due = true
}

// left notes that the PING has been handed to the socket.
func (p *probe) left(now time.Time) { p.due, p.out, p.at = false, true, now }

// pong takes in an answer; ok is false for one that nobody asked for.
func (p *probe) pong(at time.Time, token [probeLen]byte) (rtt time.Duration, ok bool) {
	if !p.out || token != p.token {
		return 0, false
	}
	p.out = false
	return max(at.Sub(p.at), 0), true
}
