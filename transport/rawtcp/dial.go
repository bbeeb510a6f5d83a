package rawtcp

import (
	"context"
	"net/netip"
	"time"

	"hawser/transport/tcp"
)

// Dial opens a connection from an address of the packet path's interface, and waits until it is established. The port
// is one of the Endpoint's that is free towards this peer. The error is a *net.OpError, with the error numbers of the
// system where it has one (connection refused, timed out …).
func (e *Endpoint) Dial(ctx context.Context, local netip.Addr, remote netip.AddrPort) (*Conn, error) {
	t := tuple{local: netip.AddrPortFrom(local, 0), remote: remote}
	if err := ctx.Err(); err != nil {
		return nil, opError("dial", t, err)
	}
	c, err := e.begin(t)
	if err != nil {
		return nil, opError("dial", t, err)
	}
	select {
	case <-c.established:
		return c, nil
	case <-c.done:
		return nil, opError("dial", c.tuple, asSystem(c.Err()))
	case <-ctx.Done():
		c.abort(ctx.Err())
		return nil, opError("dial", c.tuple, ctx.Err())
	}
}

// begin makes a connection on a free port.
func (e *Endpoint) begin(t tuple) (*Conn, error) {
	mtu := e.mtu(0)
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(now)
	for range e.cfg.Ports.Count {
		port := int(e.cfg.Ports.First) + e.turn%e.cfg.Ports.Count
		e.turn++
		t.local = netip.AddrPortFrom(t.local.Addr(), uint16(port))
		if now.Before(e.resting[t]) || e.conns[t] != nil || e.listeners[uint16(port)] != nil {
			continue
		}
		cfg := e.cfg.TCP
		cfg.Local, cfg.Remote, cfg.MTU = t.local, t.remote, mtu
		m, err := tcp.Dial(cfg, now)
		if err != nil {
			return nil, err
		}
		c := newConn(e, m, t, 0)
		return c, e.start(c)
	}
	return nil, ErrPorts
}
