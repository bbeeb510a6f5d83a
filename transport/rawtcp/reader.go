package rawtcp

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"hawser/transport/packet"
	"hawser/transport/wire"
)

// readBatch is how many packets are read at once.
const readBatch = 64

// read hands packets out until the packet path ends.
func (e *Endpoint) read() {
	defer close(e.reader)
	var ps [readBatch]packet.Packet
	d := dispatcher{e: e, run: make([]*arrival, 0, readBatch)}
	for {
		n, err := e.conn.ReadBatch(ps[:])
		for i := range ps[:n] {
			d.packet(&ps[i])
		}
		d.flush()
		if err != nil {
			e.end(fmt.Errorf("%w: %w", ErrPathGone, err))
			return
		}
	}
}

// dispatcher collects packets that follow each other and have the same sink.
type dispatcher struct {
	e    *Endpoint
	last tuple
	to   sink
	run  []*arrival
}

// packet takes one over.
func (d *dispatcher) packet(p *packet.Packet) {
	t, ok := tupleOf(p)
	if !ok {
		if p.Report != nil {
			d.e.announce(p)
		}
		p.Release()
		return
	}
	if p.Heard {
		d.e.heard(t, p)
	}
	if t != d.last || d.to == nil {
		d.flush()
		d.last, d.to = t, d.e.find(t)
	}
	if d.to == nil {
		p.Release()
		return
	}
	d.run = append(d.run, newArrival(p))
}

// flush delivers what was collected.
func (d *dispatcher) flush() {
	if len(d.run) > 0 {
		d.to.deliver(d.run)
	}
	d.run, d.to = d.run[:0], nil
}

// tupleOf is what a packet, or a report about one, belongs to; false: to nothing in particular.
func tupleOf(p *packet.Packet) (t tuple, ok bool) {
	switch r := p.Report; {
	case r == nil && len(p.Header) >= wire.TCPHeaderLen:
		t.remote = netip.AddrPortFrom(p.Remote, binary.BigEndian.Uint16(p.Header))
		t.local = netip.AddrPortFrom(p.Local, binary.BigEndian.Uint16(p.Header[2:]))
	case r != nil && r.Kind != packet.ReportMTU:
		t.local, t.remote = netip.AddrPortFrom(p.Local, r.LocalPort), netip.AddrPortFrom(p.Remote, r.RemotePort)
	default:
		return t, false
	}
	return t, true
}

// announce tells the listeners that an interface has another MTU. Connections find out when a segment does not fit.
func (e *Endpoint) announce(p *packet.Packet) {
	e.mu.Lock()
	var ls []*Listener
	for _, l := range e.listeners {
		ls = append(ls, l)
	}
	e.mu.Unlock()
	for _, l := range ls {
		q := *p
		l.deliver([]*arrival{newArrival(&q)})
	}
}
