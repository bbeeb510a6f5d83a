package rawtcp

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"hawser/transport/packet"
	"hawser/transport/wire"
)

const (
	verdictTime   = 10 * time.Minute // for how long a verdict holds; then packet sockets are tried again
	provenTime    = time.Hour        // likewise of one that is certain: each new try costs a connection
	acquittalTime = time.Hour        // for how long an interface is above suspicion once a flow has outlived it
	manyStrangers = 3                // whose connections have to be cut before that is a firewall's work
)

// modes is what a packet path can do about a firewall; packet.Socket can.
type modes interface {
	Degrade(index int, reason string)
	Restore(index int)
}

// verdicts decide when cut connections ([packet.Suspicion]) are the work of a firewall, so that their interface is to send
// by raw IP. The cut of a connection that this side has opened is enough: its peer was chosen. Whoever connects from
// outside can reset as he likes, and must not slow an interface down for everybody: cuts of accepted connections count by
// source network, several are needed, and one flow that outlives the time of suspicion acquits the interface. No
// verdict is for ever.
type verdicts struct {
	mu     sync.Mutex
	of     map[int]*evidence // by interface
	closed bool
}

// evidence is what is known of an interface.
type evidence struct {
	acquitted time.Time      // when a flow last outlived the time of suspicion
	strangers []netip.Prefix // whose connections were cut since
	end       *time.Timer    // of the verdict; nil: there is none
	ended     time.Time      // when the last verdict did
}

// about gives the evidence on an interface. v.mu is held.
func (v *verdicts) about(index int) *evidence {
	if v.of == nil {
		v.of = map[int]*evidence{}
	}
	if v.of[index] == nil {
		v.of[index] = &evidence{}
	}
	return v.of[index]
}

// outlived notes that a flow, which began to send then, is alive after the time in which a firewall acts. That it has lived
// on raw IP, during a verdict, shows nothing.
func (v *verdicts) outlived(index int, began, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	about := v.about(index)
	if about.end == nil && began.After(about.ended) {
		about.acquitted, about.strangers = now, nil
	}
}

// cut notes that a connection was cut, and has p send by raw IP if that is enough. stranger: it was accepted.
func (v *verdicts) cut(p modes, index int, peer netip.Addr, stranger bool, now time.Time, reason string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	about := v.about(index)
	switch {
	case v.closed || about.end != nil:
		return
	case !about.acquitted.IsZero() && now.Sub(about.acquitted) < acquittalTime:
		return
	case stranger && !about.enough(wire.SourceOf(peer)):
		return
	}
	about.degrade(v, p, index, verdictTime, reason)
}

// proven notes that a firewall of this host was seen at work, which needs no other evidence, and nobody outside can feign:
// has p send by raw IP.
func (v *verdicts) proven(p modes, index int, reason string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	about := v.about(index)
	if !v.closed && about.end == nil {
		about.degrade(v, p, index, provenTime, reason)
	}
}

// degrade is a verdict. v.mu is held.
func (about *evidence) degrade(v *verdicts, p modes, index int, holds time.Duration, reason string) {
	about.strangers = nil
	p.Degrade(index, reason)
	about.end = time.AfterFunc(holds, func() { v.expire(p, index) })
}

// enough adds a source to the strangers whose connections were cut and tells whether they are many.
func (about *evidence) enough(from netip.Prefix) bool {
	if !slices.Contains(about.strangers, from) {
		about.strangers = append(about.strangers, from)
	}
	return len(about.strangers) >= manyStrangers
}

// expire ends a verdict.
func (v *verdicts) expire(p modes, index int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.closed {
		about := v.about(index)
		about.end, about.ended = nil, time.Now()
		p.Restore(index)
	}
}

// close stops what would still happen.
func (v *verdicts) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	for _, about := range v.of {
		if about.end != nil {
			about.end.Stop()
		}
	}
}

// cut hands the cut of a connection to the verdicts, where the packet path can do something about it.
func (e *Endpoint) cut(c *Conn, index int, now time.Time, reason string) {
	if p, ok := e.conn.(modes); ok {
		e.verdicts.cut(p, index, c.tuple.remote.Addr(), c.accepted, now, reason)
	}
}

// proven hands a firewall that was seen at work to the verdicts.
func (e *Endpoint) proven(index int, reason string) {
	if p, ok := e.conn.(modes); ok {
		e.verdicts.proven(p, index, reason)
	}
}

var _ modes = (*packet.Socket)(nil)
