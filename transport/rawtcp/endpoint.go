package rawtcp

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"hawser/transport/packet"
	"hawser/transport/tcp"
)

// Config is what an Endpoint needs.
type Config struct {
	// Conn is the packet path, of one interface or of all. The Endpoint closes it.
	Conn packet.Conn
	// Ports are the local ports that Conn was opened for.
	Ports packet.Block
	// TCP is what connections begin with. Control is required; Local and Remote are theirs, MTU is the interface's, and
	// a Secret of zeros is replaced by a random one. A host with several Endpoints should give all the same Secret.
	TCP tcp.Config
	// MaxSendBuffer bounds what Write takes in advance for one connection, in bytes; 0: 16 MB.
	MaxSendBuffer int
}

const defaultMaxSendBuffer = 16 << 20

// quarantine is how long a pair of addresses and ports is left alone after its connection: twice the usual maximum
// segment lifetime (RFC 9293 §3.4.2).
const quarantine = 60 * time.Second

// tuple is what a connection is known by.
type tuple struct{ local, remote netip.AddrPort }

// sink takes packets in, and owns them then. It must not keep the slice.
type sink interface {
	deliver(as []*arrival)
}

// Endpoint is the connections over one packet path. Its methods may be called by several goroutines at any time.
type Endpoint struct {
	conn packet.Conn
	cfg  Config

	mu        sync.Mutex // guards what follows
	conns     map[tuple]*Conn
	resting   map[tuple]time.Time // in quarantine until then
	swept     time.Time           // when those whose time is over were last taken out of it
	listeners map[uint16]*Listener
	turn      int   // where the search for a free port begins
	err       error // nothing new is begun any more
	closed    bool

	verdicts verdicts
	resets   *resets

	loops  sync.WaitGroup
	reader chan struct{} // closed when the reader has ended
}

// New makes an Endpoint, which owns cfg.Conn from then on unless there is an error.
func New(cfg Config) (*Endpoint, error) {
	switch {
	case cfg.Conn == nil || !cfg.Ports.Valid():
		return nil, errors.New("rawtcp: an Endpoint needs a packet path and the ports it was opened for")
	case cfg.TCP.Control == nil:
		return nil, errors.New("rawtcp: TCP.Control is missing: name a congestion control")
	}
	if cfg.MaxSendBuffer <= 0 {
		cfg.MaxSendBuffer = defaultMaxSendBuffer
	}
	if cfg.TCP.Secret == ([32]byte{}) {
		_, _ = rand.Read(cfg.TCP.Secret[:]) // never fails (crypto/rand)
	}
	if cfg.TCP.Clock.IsZero() {
		cfg.TCP.Clock = time.Now()
	}
	e := &Endpoint{
		conn: cfg.Conn, cfg: cfg, conns: map[tuple]*Conn{}, resting: map[tuple]time.Time{},
		listeners: map[uint16]*Listener{}, resets: newResets(), reader: make(chan struct{}),
	}
	e.turn = int(cfg.TCP.Secret[0]) // a restarted program does not begin with the same port (RFC 6056)
	go e.read()
	return e, nil
}

// Close resets all connections, ends all listeners and closes the packet path.
func (e *Endpoint) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return fmt.Errorf("rawtcp: close: %w", net.ErrClosed)
	}
	e.closed = true
	e.mu.Unlock()
	e.end(net.ErrClosed)
	e.loops.Wait()
	e.verdicts.close()
	err := e.conn.Close()
	<-e.reader
	if errors.Is(err, net.ErrClosed) {
		return nil // the path had ended by itself
	}
	return err
}

// Done is closed when the packet path has ended.
func (e *Endpoint) Done() <-chan struct{} { return e.reader }

// end resets all connections and begins nothing new.
func (e *Endpoint) end(err error) {
	e.mu.Lock()
	if e.err == nil {
		e.err = err
	}
	var cs []*Conn
	for _, c := range e.conns {
		cs = append(cs, c)
	}
	var ls []*Listener
	for _, l := range e.listeners {
		ls = append(ls, l)
	}
	e.mu.Unlock()
	for _, l := range ls {
		l.end(err)
	}
	for _, c := range cs {
		c.abort(err)
	}
}

// start puts a connection into the table and its loop to work; false: there is one, or the Endpoint has ended. e.mu is
// held.
func (e *Endpoint) start(c *Conn) error {
	if e.err != nil {
		return e.err
	}
	if e.conns[c.tuple] != nil {
		return fmt.Errorf("rawtcp: there is a connection from %v to %v already", c.tuple.local, c.tuple.remote)
	}
	e.conns[c.tuple] = c
	e.loops.Add(1)
	go c.run()
	return nil
}

// adopt is start for a connection that a listener has completed.
func (e *Endpoint) adopt(c *Conn) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.start(c)
}

// forget takes a connection out of the table. rest: its addresses and ports go into quarantine.
func (e *Endpoint) forget(c *Conn, rest bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conns[c.tuple] == c {
		delete(e.conns, c.tuple)
	}
	if rest {
		now := time.Now()
		e.resting[c.tuple] = now.Add(quarantine)
		e.sweep(now)
	}
}

// sweep ends quarantines that are over, now and then: a server has no other occasion, and strangers can fill the table.
// e.mu is held.
func (e *Endpoint) sweep(now time.Time) {
	if now.Sub(e.swept) < quarantine/4 {
		return
	}
	e.swept = now
	for t, until := range e.resting {
		if !now.Before(until) {
			delete(e.resting, t)
		}
	}
}

// find is who takes the packets of a pair of addresses and ports; nil: nobody.
func (e *Endpoint) find(t tuple) sink {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.conns[t]; c != nil {
		return c
	}
	if l := e.listeners[t.local.Port()]; l != nil && l.wants(t.local.Addr()) {
		return l
	}
	return nil
}

// mtu is that of an interface; 0: the packet path's.
func (e *Endpoint) mtu(index int) int {
	if o, ok := e.conn.(interface{ InterfaceMTU(index int) int }); ok {
		if n := o.InterfaceMTU(index); n > 0 {
			return n
		}
	}
	return e.conn.MTU()
}
