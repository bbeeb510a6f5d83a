package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/rs/zerolog"

	"hawser/proxy/admin"
	"hawser/proxy/demo/link"
	"hawser/proxy/stack"
)

// loopback is where everything is.
const loopback = "127.0.0.1"

// bed is all that the demo runs: links, target, server, and the client that has all uplinks.
type bed struct {
	links  []*link.Link
	server *stack.Local
	client *stack.Client
	target *target
	user   *user    // of the client
	notes  []string // ports that were replaced
	parts  []*part  // in the order of their start
}

// newBed sets all up. The client's ports are the ones of o where they are free.
func newBed(o Options) (*bed, error) {
	b := &bed{}
	if err := b.open(o); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bed) open(o Options) (err error) {
	if b.target, err = newTarget(o.plan.warm); err != nil {
		return err
	}
	b.parts = append(b.parts, start(b.target.run))
	if b.server, err = stack.NewLocal(stack.ServerOptions{Version: o.Version, Log: zerolog.Nop()}); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	b.parts = append(b.parts, start(b.server.Run))
	for _, c := range uplinks {
		l, err := link.Listen(c, b.server.Addr())
		if err != nil {
			return err
		}
		b.links = append(b.links, l)
	}
	proxy, dashboard := b.free(o.Proxy), b.free(o.Dashboard)
	if b.client, err = b.newClient(o.Version, proxy, dashboard, b.links...); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	b.parts = append(b.parts, start(b.client.Run))
	b.user = newUser(b.client.Addrs()[0], b.target)
	return nil
}

// newClient makes a client whose uplinks are these links.
func (b *bed) newClient(version, proxy, dashboard string, links ...*link.Link) (*stack.Client, error) {
	ways := make([]stack.Way, 0, len(links))
	for _, l := range links {
		ways = append(ways, stack.Way{Name: l.Name, To: l.Addr()})
	}
	return b.server.NewClient(proxy, dashboard, stack.ClientOptions{Version: version, Log: zerolog.Nop()}, ways...)
}

// free gives address, or one with any free port when that is busy.
func (b *bed) free(address string) string {
	ln, err := net.Listen("tcp4", address)
	if err == nil {
		_ = ln.Close()
		return address
	}
	b.notes = append(b.notes, fmt.Sprintf("%s is not free, another port is used instead", address))
	return loopback + ":0"
}

// alone lends f a user whose client has one link only.
func (b *bed) alone(version string, l *link.Link, f func(*user) error) error {
	c, err := b.newClient(version, loopback+":0", "", l)
	if err != nil {
		return err
	}
	p := start(c.Run)
	return errors.Join(f(newUser(c.Addrs()[0], b.target)), p.stop())
}

// ready waits until the client works over the uplink named; empty: over all.
func (b *bed) ready(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var missing *admin.Uplink
		for _, u := range b.client.Status().Uplinks {
			if (name == "" || u.Name == name) && u.State != admin.UplinkUp {
				missing = &u
			}
		}
		if missing == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("uplink %s is %s after %v: %s", missing.Name, missing.State, readyTime, missing.Reason)
		}
	}
}

// close ends all, what was started last first.
func (b *bed) close() error {
	var errs []error
	for _, l := range b.links {
		l.Restore() // a cut link would hold back the end of the sessions
	}
	for i := len(b.parts) - 1; i >= 0; i-- {
		errs = append(errs, b.parts[i].stop())
	}
	for _, l := range b.links {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
