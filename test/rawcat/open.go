package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
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
	// handshake is how long a peer may not answer the first segment: five of them are sent in that time.
	handshake = 20 * time.Second
	// unanswered is how long a peer may not answer at all later; where nothing is to be answered, it is asked.
	unanswered = 60 * time.Second
	quiet      = unanswered / 2 // silence after which it is asked,
	keepCount  = 6              // and how often
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
		Control: o.control, MSL: lifetime, SYNTimeout: handshake, UserTimeout: unanswered,
		KeepAlive: quiet, KeepGap: (unanswered - quiet) / keepCount, KeepCount: keepCount,
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
func (o *options) listen(ctx context.Context, r *report) error {
	on, err := o.listenPlace()
	if err != nil {
		return err
	}
	s, err := o.open(packet.PortConfig{Port: on.Port()}, on.zone)
	if err != nil {
		return err
	}
	defer s.close()
	defer r.path(s.socket)
	l, err := s.endpoint.Listen(on.AddrPort, tcp.ListenerConfig{})
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "rawcat: listening on", on)
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	c, err := l.AcceptConn()
	if ctx.Err() != nil {
		return errors.New("stopped by a signal before anybody has connected")
	}
	if err != nil {
		return err
	}
	stop()
	_ = l.Close() // one connection; fails if the context has ended at this moment, which the conversation will find out
	return o.converse(ctx, s, c, r)
}

// connect opens one connection.
func (o *options) connect(ctx context.Context, r *report) error {
	to, local, name, err := o.connectPlaces(ctx)
	if err != nil {
		return err
	}
	s, err := o.open(packet.PortConfig{Count: clientPorts}, name)
	if err != nil {
		return err
	}
	defer s.close()
	defer r.path(s.socket)
	c, err := s.endpoint.Dial(ctx, local, to.AddrPort)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("stopped by a signal before %v has answered", to)
	case err != nil:
		return fmt.Errorf("%w%s", err, advice(err))
	}
	return o.converse(ctx, s, c, r)
}

// advice is what to do about a peer that cannot be reached; empty: the error says it itself.
func advice(err error) string {
	for errno, what := range map[syscall.Errno]string{
		syscall.ETIMEDOUT:    "check the address, and the firewalls on the way to it",
		syscall.EHOSTUNREACH: "check the address, whether that machine is up, and the firewalls on the way to it",
		syscall.ECONNREFUSED: "start the peer first, or give the port that it listens on",
		syscall.EACCES:       "give the address of one machine, and not of a whole network",
	} {
		if errors.Is(err, errno) {
			return ": " + what
		}
	}
	return ""
}
