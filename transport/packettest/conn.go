package packettest

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"hawser/transport/packet"
)

// Conn is a packet.Conn of a host. n.mu guards it.
type Conn struct {
	n      *Network
	host   *Host
	index  int // of the interface; 0: all
	block  packet.Block
	inbox  []packet.Packet
	ready  sync.Cond
	closed bool
	err    error
}

var _ packet.Conn = (*Conn)(nil)

// Open makes a Conn on a link's interface, or on all of the host's when k is nil, for the ports of a block. A block that
// another Conn of the host has on the same interface is a mistake of the test.
func (h *Host) Open(k *Link, ports packet.Block) *Conn {
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	if !ports.Valid() {
		panic(fmt.Sprintf("BUG: packettest: block %+v", ports))
	}
	c := &Conn{n: h.n, host: h, block: ports}
	c.ready.L = &h.n.mu
	if k != nil {
		c.index = k.index
	}
	h.conns = append(h.conns, c)
	return c
}

// ReadBatch implements packet.Conn.
func (c *Conn) ReadBatch(ps []packet.Packet) (n int, err error) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	for len(c.inbox) == 0 {
		switch {
		case c.closed:
			return 0, fmt.Errorf("packettest: read: %w", net.ErrClosed)
		case c.err != nil:
			return 0, c.err
		}
		c.ready.Wait()
	}
	for n < len(ps) && len(c.inbox) > 0 {
		run := follow(c.inbox)
		ps[n] = merge(c.inbox[:run])
		c.inbox = slices.Delete(c.inbox, 0, run)
		n++
	}
	return n, nil
}

// WriteBatch implements packet.Conn.
func (c *Conn) WriteBatch(ps []packet.Packet) (n int, err error) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	now := time.Now()
	for i := range ps {
		if c.closed {
			return i, fmt.Errorf("packettest: write: %w", net.ErrClosed)
		}
		if err := c.write(now, &ps[i]); err != nil {
			return i, err
		}
	}
	return len(ps), nil
}

// write sends one packet. What does not fit a local queue stays in p.
func (c *Conn) write(now time.Time, p *packet.Packet) error {
	if !p.Valid() {
		return packet.ErrMalformed
	}
	e, err := c.route(p)
	if err != nil {
		return err
	}
	done := 0
	for i, segments := 0, p.Cut(); i < len(segments); i++ {
		s := segments[i]
		size, k := wireSize(&s), s.Len()
		err := error(nil)
		if size > e.out.mtu() {
			err = &packet.TooBigError{Size: size, MTU: e.out.mtu()}
		} else if e.out.Local && !e.out.room(size) {
			err = packet.ErrCongested
		}
		if err != nil {
			for _, rest := range segments[i:] {
				rest.Release()
			}
			p.Advance(done)
			return err
		}
		e.out.send(now, s)
		done += k
	}
	return nil
}

// route finds the interface that a packet leaves by: the one it names, the Conn's own, or the one that joins its two
// addresses.
func (c *Conn) route(p *packet.Packet) (*end, error) {
	index := p.Interface
	if index == 0 {
		index = c.index
	}
	for _, e := range c.host.ends {
		if index != 0 && e.link.index == index || index == 0 && e.has(p.Local) {
			if !e.has(p.Local) || !e.out.to.has(p.Remote) {
				break
			}
			return e, nil
		}
	}
	return nil, fmt.Errorf("packettest: %s has no route from %v to %v by interface %d", c.host.name, p.Local, p.Remote, index)
}

// has says whether an address is this end's.
func (e *end) has(a netip.Addr) bool { return a == e.v4 || a == e.v6 }

// receive hands a segment to the Conn that wants it; nobody answers what no Conn wants.
func (e *end) receive(now time.Time, p packet.Packet) {
	p.Local, p.Remote, p.Interface, p.At, p.Control = p.Remote, p.Local, e.link.index, now, false
	if c := e.host.find(e.link.index, binary.BigEndian.Uint16(p.Header[2:])); c != nil && e.has(p.Local) {
		c.put(p)
		return
	}
	p.Release()
}

// find is the Conn of a port on an interface.
func (h *Host) find(index int, port uint16) *Conn {
	for _, c := range h.conns {
		if (c.index == 0 || c.index == index) && c.block.Has(port) {
			return c
		}
	}
	return nil
}

// put adds to the inbox.
func (c *Conn) put(p packet.Packet) {
	c.inbox = append(c.inbox, p)
	c.ready.Signal()
}

// tooBig sends a router's report about a segment back to its sender, a round trip of the link after it was sent.
func (d *direction) tooBig(now time.Time, p *packet.Packet) {
	r := packet.Report{
		Kind: packet.ReportTooBig, From: p.Remote, MTU: d.Path,
		LocalPort: binary.BigEndian.Uint16(p.Header), RemotePort: binary.BigEndian.Uint16(p.Header[2:]), Seq: binary.BigEndian.Uint32(p.Header[4:]),
	}
	from := d.to.out.to
	report := packet.Packet{Local: p.Local, Remote: p.Remote, Interface: from.link.index, Report: &r}
	d.n.timeline.At(now.Add(2*d.Delay), func(now time.Time) {
		if c := from.host.find(from.link.index, r.LocalPort); c != nil {
			report.At = now
			c.put(report)
		}
	})
}

// MTU implements packet.Conn.
func (c *Conn) MTU() int { return c.InterfaceMTU(c.index) }

// InterfaceMTU is the MTU of one of the host's interfaces; index 0: the smallest.
func (c *Conn) InterfaceMTU(index int) (mtu int) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	for _, e := range c.host.ends {
		if m := e.out.mtu(); (index == 0 || index == e.link.index) && (mtu == 0 || m < mtu) {
			mtu = m
		}
	}
	return mtu
}

// Inject puts a packet before the reader, as if it had come by the network: a forged segment, a report. Its bytes are
// copied.
func (c *Conn) Inject(p packet.Packet) {
	if p.Report == nil {
		p.Own()
	}
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	p.At = time.Now()
	c.put(p)
}

// Fail ends the Conn's reader with an error, as an interface does that vanishes.
func (c *Conn) Fail(err error) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	c.err = err
	c.ready.Broadcast()
}

// Close implements packet.Conn.
func (c *Conn) Close() error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if c.closed {
		return fmt.Errorf("packettest: close: %w", net.ErrClosed)
	}
	c.closed = true
	c.host.conns = slices.DeleteFunc(c.host.conns, func(o *Conn) bool { return o == c })
	for i := range c.inbox {
		c.inbox[i].Release()
	}
	c.inbox = nil
	c.ready.Broadcast()
	return nil
}
