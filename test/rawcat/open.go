package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"hawser/cc"
	"hawser/transport/packet"
	"hawser/transport/rawtcp"
	"hawser/transport/tcp"
)

const (
	// lifetime is the maximum segment lifetime that the program waits twice for at the end: it holds its ports no longer
	// than it runs, and draws others next time, so it need not wait for what is days old.
	lifetime = 500 * time.Millisecond
	// unanswered is how long a peer may not answer at all.
	unanswered = 60 * time.Second
	// clientPorts is how many ports a client reserves, of which it uses one.
	clientPorts = 1
)

// stack is what a connection stands on.
type stack struct {
	ports    *packet.Ports
	socket   *packet.Socket
	endpoint *rawtcp.Endpoint
	echo     time.Duration // how long the peer may yet answer what was sent before the connection ended
}

// open makes the stack: on an interface, or on all for "".
func (o *options) open(port packet.PortConfig, iface string) (_ *stack, err error) {
	s := &stack{}
	if s.ports, err = packet.Reserve(port); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	cfg := packet.Config{Interface: iface, Ports: s.ports}
	switch {
	case o.rawIP:
		cfg.Best = packet.ModeRawIP
	case !o.gso:
		cfg.Best = packet.ModeFrames
	}
	if s.socket, err = packet.Open(cfg); err != nil {
		return nil, err
	}
	s.endpoint, err = rawtcp.New(rawtcp.Config{Conn: s.socket, Ports: s.ports.Block(), TCP: tcp.Config{
		Control: o.control, MSL: lifetime, SYNTimeout: unanswered, UserTimeout: unanswered,
	}})
	return s, err
}

// close ends everything, the ports last, when nothing is under way to them any more: from then on the kernel answers in our
// place, with RST.
func (s *stack) close() {
	switch {
	case s.endpoint != nil:
		_ = s.endpoint.Close()
	case s.socket != nil:
		_ = s.socket.Close()
	}
	time.Sleep(s.echo)
	if s.ports != nil {
		_ = s.ports.Close()
	}
}

// control makes the congestion control, whose name was checked.
func (o *options) control(c cc.Config) cc.Controller {
	control, err := cc.New(o.congestion, c)
	if err != nil {
		panic("BUG: rawcat: " + err.Error())
	}
	return control
}

// listen serves one connection.
func (o *options) listen(ctx context.Context) error {
	on, err := netip.ParseAddrPort(o.on)
	if err != nil || on.Port() == 0 {
		return fmt.Errorf("--on %q: give an address and a port, as 0.0.0.0:7443 or [::]:7443", o.on)
	}
	s, err := o.open(packet.PortConfig{Port: on.Port()}, "")
	if err != nil {
		return err
	}
	defer s.close()
	l, err := s.endpoint.Listen(netip.AddrPortFrom(on.Addr().Unmap(), on.Port()), tcp.ListenerConfig{})
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "rawcat: listening on", on)
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	c, err := l.AcceptConn()
	if err != nil {
		return err
	}
	stop()
	_ = l.Close() // one connection; fails if the context has ended at this moment, which the conversation will find out
	return o.converse(ctx, s, c)
}

// connect opens one connection.
func (o *options) connect(ctx context.Context) error {
	to, err := netip.ParseAddrPort(o.to)
	if err != nil || to.Port() == 0 {
		return fmt.Errorf("--to %q: give an address and a port, as 198.51.100.7:7443 or [2001:db8::7]:7443", o.to)
	}
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	local, err := o.source(ctx, to)
	if err != nil {
		return err
	}
	name, err := interfaceOf(local)
	if err != nil {
		return err
	}
	s, err := o.open(packet.PortConfig{Count: clientPorts}, name)
	if err != nil {
		return err
	}
	defer s.close()
	c, err := s.endpoint.Dial(ctx, local, to)
	if err != nil {
		return err
	}
	return o.converse(ctx, s, c)
}

// source is the own address to use.
func (o *options) source(ctx context.Context, to netip.AddrPort) (netip.Addr, error) {
	if o.from != "" {
		a, err := netip.ParseAddr(o.from)
		if err != nil {
			return a, fmt.Errorf("--from %q: give an address of this host", o.from)
		}
		return a.Unmap(), nil
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp", to.String()) // sends nothing: the system chooses the source address
	if err != nil {
		return netip.Addr{}, fmt.Errorf("no way to %v: %w", to, err)
	}
	defer c.Close()
	a, err := netip.ParseAddrPort(c.LocalAddr().String())
	return a.Addr().Unmap(), err
}

// interfaceOf is the name of the interface that has an address.
func interfaceOf(a netip.Addr) (string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return "", fmt.Errorf("list the interfaces: %w", err)
	}
	for _, i := range all {
		addrs, err := i.Addrs()
		if err != nil {
			return "", fmt.Errorf("list the addresses of %s: %w", i.Name, err)
		}
		for _, have := range addrs {
			if p, err := netip.ParsePrefix(have.String()); err == nil && p.Addr().Unmap() == a {
				return i.Name, nil
			}
		}
	}
	return "", fmt.Errorf("no interface has the address %v: --from must be one of this host's", a)
}
