package mptcp

import (
	"context"
	"net"
	"time"

	"hawser/transport"
)

// Dialer opens connections to one peer over all ways that there are.
type Dialer struct {
	Config  Config
	Carrier transport.Carrier
	Paths   PathSource

	live     live
	unproved unproved
}

// Drain is for the end of a program: it waits until every connection has ended, and when ctx ends breaks off those that
// are left.
func (d *Dialer) Drain(ctx context.Context) { d.live.drain(ctx) }

// Dial opens a connection: the first handshake races over all uplinks, and the quickest wins. The others are joined
// after Conn.Authenticate. Dial tries until ctx ends, or until the subflow that has won is lost before the server has
// confirmed it (ErrNoUplink): the keys are spent then, and the next Dial makes others.
func (d *Dialer) Dial(ctx context.Context) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cfg := d.Config.withDefaults()
	c := newConn(cfg.Budget)
	c.carrier, c.carrierName, c.encrypts = d.Carrier, d.Carrier.Name(), d.Carrier.Encrypts()
	k, err := newCore(cfg, c, true, NewKey())
	if err != nil {
		return nil, err
	}
	k.paths = newPathManager(d.Paths, time.Now())
	k.paths.unproved = &d.unproved
	k.paths.noRejoin = cfg.off.rejoin
	k.stopWatch = d.Paths.Watch(func() {
		k.paths.stale.Store(true)
		c.box.kick()
	})
	d.live.add(c)
	c.onEnd = func() { d.live.remove(c) }
	c.start(k)
	if err := c.wait(ctx); err != nil {
		return nil, &net.OpError{Op: "dial", Net: "mptcp", Err: err}
	}
	return c, nil
}
