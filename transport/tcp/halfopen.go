package tcp

import (
	"net/netip"
	"time"

	"hawser/transport/wire"
)

// halfOpen is a handshake that is remembered while there is room, so that its SYN-ACK can be repeated and a peer
// without timestamps keeps its options. When that of a peer with timestamps is forgotten, the cookie says the rest; one
// without is refused then, and tries again.
type halfOpen struct {
	local, remote netip.AddrPort
	peerISN, isn  wire.Seq
	peer          peer
	tsVal         uint32
	mptcp         wire.TCPOptions // the SYN's options of kind 30
	sentAt        time.Time
	at            time.Time // of the next repetition, or the end
	tries         int       // repetitions so far
	used          bool
}

// synAckTries is how often a SYN-ACK is repeated, with back-off from 1 s: the last one is given 16 s.
const synAckTries = 4

// find is the remembered handshake of a pair of addresses; nil: none.
func (l *Listener) find(local, remote netip.AddrPort) *halfOpen {
	for i := range l.half {
		if h := &l.half[i]; h.used && h.remote == remote && h.local == local {
			return h
		}
	}
	return nil
}

// remember finds room for a handshake; nil: there is none, in all or for this source.
func (l *Listener) remember(remote netip.AddrPort) *halfOpen {
	var free *halfOpen
	same, who := 0, wire.SourceOf(remote.Addr())
	for i := range l.half {
		switch h := &l.half[i]; {
		case !h.used:
			free = h
		case wire.SourceOf(h.remote.Addr()) == who:
			same++
		}
	}
	if same >= l.cfg.HalfOpenPerSource {
		return nil
	}
	if free != nil {
		l.halfUsed++
	}
	return free
}

// forget makes room again.
func (l *Listener) forget(h *halfOpen) {
	if h != nil && h.used {
		*h = halfOpen{}
		l.halfUsed--
	}
}

// Advance repeats SYN-ACKs that are due.
func (l *Listener) Advance(now time.Time) {
	if l.halfUsed == 0 {
		return
	}
	for i := range l.half {
		h := &l.half[i]
		if !h.used || h.at.After(now) {
			continue
		}
		if h.tries >= synAckTries {
			l.forget(h)
			continue
		}
		h.tries++
		h.at = now.Add(initialRTO << h.tries)
		l.answer(h, now)
	}
}

// Deadline is when Advance wants to be called; the zero time: no need.
func (l *Listener) Deadline() time.Time {
	var d time.Time
	if l.halfUsed == 0 {
		return d
	}
	for i := range l.half {
		if h := &l.half[i]; h.used && (d.IsZero() || h.at.Before(d)) {
			d = h.at
		}
	}
	return d
}
