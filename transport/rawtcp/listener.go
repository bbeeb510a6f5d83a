package rawtcp

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"hawser/transport/packet"
	"hawser/transport/tcp"
	"hawser/transport/wire"
)

// Listener accepts connections on a port of an Endpoint. It is a net.Listener; its methods may be called by several
// goroutines at any time.
type Listener struct {
	e    *Endpoint
	on   netip.AddrPort
	cfg  tcp.ListenerConfig
	wake signal
	box  inbox

	mu    sync.Mutex // guards what follows
	ready sync.Cond
	queue []*Conn
	err   error // it is over

	// What follows belongs to the loop (run). There is a machine for each interface that SYNs have come by, for each
	// may have another MTU. A handshake is completed by the one that remembers it, and if none does by any: the cookies'
	// secret is the same.
	machines map[int]*tcp.Listener
	arrived  []*arrival
	segment  wire.Segment
}

const defaultBacklog = 128

var _ net.Listener = (*Listener)(nil)

// Listen accepts connections on a port: on one address of this host, on all of IPv4 (0.0.0.0), or on all (::). What is
// sent to another address finds nobody, and is not answered. Of cfg.Conn only what differs from the Endpoint's TCP
// configuration has to be set: without a Control, the whole Endpoint's is used. While cfg.Backlog connections wait for
// Accept, others are completed and reset at once, so that who dials need not find out by waiting.
func (e *Endpoint) Listen(on netip.AddrPort, cfg tcp.ListenerConfig) (*Listener, error) {
	if cfg.Conn.Control == nil {
		cfg.Conn = e.cfg.TCP
	}
	if cfg.Conn.Secret == ([32]byte{}) {
		cfg.Conn.Secret, cfg.Conn.Clock = e.cfg.TCP.Secret, e.cfg.TCP.Clock
	}
	if cfg.Backlog <= 0 {
		cfg.Backlog = defaultBacklog
	}
	if !on.IsValid() || !e.cfg.Ports.Has(on.Port()) {
		return nil, fmt.Errorf("rawtcp: listen on %v: the packet path was not opened for this port", on)
	}
	if _, err := tcp.Listen(cfg); err != nil {
		return nil, err
	}
	l := &Listener{e: e, on: on, cfg: cfg, wake: newSignal(), machines: map[int]*tcp.Listener{}}
	l.ready.L = &l.mu
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return nil, e.err
	}
	if e.listeners[on.Port()] != nil {
		return nil, fmt.Errorf("rawtcp: listen on %v: port %d has a listener already", on, on.Port())
	}
	e.listeners[on.Port()] = l
	e.loops.Add(1)
	go l.run()
	return l, nil
}

// wants says whether the listener is for an address of this host.
func (l *Listener) wants(local netip.Addr) bool {
	a := l.on.Addr()
	return a == local || a.IsUnspecified() && (a.Is6() || local.Is4())
}

// deliver implements sink.
func (l *Listener) deliver(as []*arrival) {
	l.box.put(as)
	l.wake.raise()
}

// Accept implements net.Listener. The connection is a *Conn.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptConn()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptConn waits for the next connection.
func (l *Listener) AcceptConn() (*Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 {
		if l.err != nil {
			return nil, &net.OpError{Op: "accept", Net: "tcp", Source: l.Addr(), Err: l.err}
		}
		l.ready.Wait()
	}
	c := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	return c, nil
}

// Close implements net.Listener: nothing answers on the port any more. Connections that nobody has accepted are reset.
func (l *Listener) Close() error {
	if !l.end(net.ErrClosed) {
		return &net.OpError{Op: "close", Net: "tcp", Source: l.Addr(), Err: net.ErrClosed}
	}
	return nil
}

// end ends the listener; false: it had ended.
func (l *Listener) end(err error) bool {
	l.e.mu.Lock()
	if l.e.listeners[l.on.Port()] == l {
		delete(l.e.listeners, l.on.Port())
	}
	l.e.mu.Unlock()
	l.mu.Lock()
	first := l.err == nil
	var left []*Conn
	if first {
		l.err = err
		left, l.queue = l.queue, nil
	}
	l.ready.Broadcast()
	l.mu.Unlock()
	for _, c := range left {
		c.Abort()
	}
	l.wake.raise()
	return first
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.on) }

// over says whether the listener has ended.
func (l *Listener) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err != nil
}

// run is the listener's loop.
func (l *Listener) run() {
	defer l.e.loops.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !l.over() {
		l.arrived = l.box.take(l.arrived[:0])
		for i, a := range l.arrived {
			l.take(a)
			a.Release()
			l.arrived[i] = nil
		}
		next := l.advance(time.Now())
		if next.IsZero() {
			<-l.wake
			continue
		}
		timer.Reset(time.Until(next))
		select {
		case <-l.wake:
		case <-timer.C:
		}
	}
	l.box.close()
}

// take takes one packet in.
func (l *Listener) take(a *arrival) {
	if r := a.p.Report; r != nil {
		if r.Kind == packet.ReportMTU {
			l.resize(a.p.Interface)
		}
		return
	}
	if t, ok := tupleOf(&a.p); ok { // its handshake may have been completed by a packet before it
		if c, ok := l.e.find(t).(*Conn); ok {
			a.Retain()
			c.deliver([]*arrival{a})
			return
		}
	}
	index := a.p.Interface
	m := l.machine(index)
	if m == nil || !a.segment(&l.segment) {
		return
	}
	m = l.remembering(m)
	_ = m.Receive(a.p.At, &l.segment) // what is wrong with a stranger's segment is in the counters
	l.segment.Owner = nil
	clear(l.segment.Data)
	for c, ok := m.Accept(); ok; c, ok = m.Accept() {
		l.accept(c, index)
	}
	l.reply(m, index)
}

// machine is the one of an interface.
func (l *Listener) machine(index int) *tcp.Listener {
	m := l.machines[index]
	if m == nil {
		cfg := l.cfg
		cfg.Conn.MTU = l.e.mtu(index)
		var err error
		if m, err = tcp.Listen(cfg); err != nil {
			return nil // an interface too small for TCP
		}
		l.machines[index] = m
	}
	return m
}

// resize tells the machine of an interface that its MTU has changed.
func (l *Listener) resize(index int) {
	if m := l.machines[index]; m != nil && m.SetMTU(l.e.mtu(index)) != nil {
		delete(l.machines, index) // an interface too small for TCP
	}
}

// remembering is the machine that knows the handshake of the segment at hand, for its packets may come by several
// interfaces; m when none does. Link-local addresses mean nothing on another interface.
func (l *Listener) remembering(m *tcp.Listener) *tcp.Listener {
	s := &l.segment
	if len(l.machines) < 2 || s.Flags.Has(wire.SYN) || s.Src.Addr().IsLinkLocalUnicast() || m.Remembers(s.Dst, s.Src) {
		return m
	}
	for _, other := range l.machines {
		if other != m && other.Remembers(s.Dst, s.Src) {
			return other
		}
	}
	return m
}

// accept queues a connection whose handshake is complete.
func (l *Listener) accept(m *tcp.Machine, index int) {
	info := m.Info()
	t := tuple{local: info.Local, remote: info.Remote}
	c := newConn(l.e, m, t, outgoing(t.remote.Addr(), index))
	c.accepted = true
	c.prove()
	if l.e.adopt(c) != nil {
		return // the Endpoint has ended, and with it what the peer may think of this
	}
	l.mu.Lock()
	full := len(l.queue) >= l.cfg.Backlog || l.err != nil
	if !full {
		l.queue = append(l.queue, c)
		l.ready.Signal()
	}
	l.mu.Unlock()
	if full {
		c.abort(ErrBacklog)
	}
}

// outgoing is the interface for what goes to an address of a peer whose segment came by index: the kernel knows best,
// except for addresses that mean nothing without an interface.
func outgoing(to netip.Addr, index int) int {
	if to.IsLinkLocalUnicast() {
		return index
	}
	return 0
}

// advance repeats what is due, and tells when the next is.
func (l *Listener) advance(now time.Time) (next time.Time) {
	for index, m := range l.machines {
		m.Advance(now)
		l.reply(m, index)
		if d := m.Deadline(); !d.IsZero() && (next.IsZero() || d.Before(next)) {
			next = d
		}
	}
	return next
}

// reply sends what a machine has to say. What the local queue has no room for is lost: the peer asks again.
func (l *Listener) reply(m *tcp.Listener, index int) {
	for again := true; again; {
		b := batches.Get().(*batch)
		for !b.full() && m.Emit(time.Time{}, b.next()) {
			b.add(outgoing(b.next().Dst.Addr(), index), true)
		}
		again = b.full()
		for ps := b.packets[:b.n]; len(ps) > 0; {
			n, err := l.e.writeBatch(ps)
			if ps = ps[n:]; err != nil {
				ps = ps[1:]
			}
		}
		b.release()
	}
}
