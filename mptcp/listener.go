package mptcp

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// backlog is how many established connections wait for Accept.
const backlog = 128

// maxPending bounds the connections that are not authenticated yet; the acceptor's own limits come first.
const maxPending = 8192

// Listener accepts connections from the subflows that an acceptor yields, and hands joins to the connections that
// their tokens name. Safe for concurrent use.
type Listener struct {
	cfg      Config
	acceptor transport.Acceptor
	carrier  string
	addr     net.Addr
	queue    chan *Conn
	done     chan struct{}
	closing  sync.Once

	live   live
	mu     sync.Mutex
	tokens map[uint32]*Conn
}

// Listen begins to accept.
func Listen(cfg Config, acceptor transport.Acceptor, addr net.Addr, carrier string) (*Listener, error) {
	if _, err := cfg.newScheduler(); err != nil {
		return nil, err
	}
	l := &Listener{
		cfg: cfg.withDefaults(), acceptor: acceptor, carrier: carrier, addr: addr,
		queue: make(chan *Conn, backlog), done: make(chan struct{}), tokens: make(map[uint32]*Conn),
	}
	go l.run()
	return l, nil
}

// Accept waits for the next established connection. It is not authenticated: until Conn.Authenticate it may receive
// 64 kB, has one subflow, and lives for 10 s.
func (l *Listener) Accept() (*Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: "mptcp", Addr: l.addr, Err: net.ErrClosed}
	}
}

// Addr is the address that the acceptor listens on.
func (l *Listener) Addr() net.Addr { return l.addr }

// Close stops accepting connections and joins. Connections that are there go on.
func (l *Listener) Close() error {
	var err error
	l.closing.Do(func() {
		close(l.done)
		err = l.acceptor.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, c := range l.tokens {
			select {
			case <-c.ready:
			default:
				c.Abort()
			}
		}
	})
	return err
}

// Drain is for the end of a program: it waits until every connection has ended, and when ctx ends breaks off those that
// are left.
func (l *Listener) Drain(ctx context.Context) { l.live.drain(ctx) }

func (l *Listener) run() {
	for {
		inc, err := l.acceptor.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			l.sort(inc)
		}
	}
}

// sort brings an incoming subflow to its connection, or makes one for it.
func (l *Listener) sort(inc transport.Incoming) {
	for _, o := range inc.Options {
		switch o := o.(type) {
		case wire.MPCapable:
			if o.Stage != wire.StageSYN || o.Version < mptcpVersion || !o.SHA256 || o.Extensible {
				inc.Reject(wire.ResetProtocol)
				return
			}
			l.open(inc, o)
			return
		case wire.MPJoin:
			l.mu.Lock()
			c := l.tokens[o.Token]
			l.mu.Unlock()
			if o.Stage != wire.StageSYN || c == nil || !c.incoming(inc, o) {
				inc.Reject(wire.ResetProtocol) // RFC 8684 §3.2: unknown token
			}
			return
		}
	}
	inc.Reject(wire.ResetProtocol)
}

// open makes a connection for an MP_CAPABLE.
func (l *Listener) open(inc transport.Incoming, o wire.MPCapable) {
	c := newConn(l.cfg.Budget)
	c.carrierName, c.encrypts = l.carrier, l.acceptor.Encrypts()
	key, ok := l.register(c)
	if !ok {
		inc.Reject(wire.ResetResources)
		return
	}
	k, err := newCore(l.cfg, c, false, key)
	if err != nil {
		panic("BUG: mptcp: the scheduler was checked by Listen: " + err.Error())
	}
	k.expires = time.Now().Add(handshakeTime)
	c.onReady = func() { l.offer(c) }
	l.live.add(c)
	c.onEnd = func() {
		l.forget(key.Token())
		l.live.remove(c)
	}
	c.start(k)
	if !c.incoming(inc, o) {
		inc.Reject(wire.ResetProtocol)
	}
}

// incoming hands the loop a subflow that the peer has opened; false: the loop has ended, and the subflow is still the
// caller's. A loop that ends before it comes to it rejects it, because nobody else holds its socket.
func (c *Conn) incoming(inc transport.Incoming, o wire.Option) bool {
	return c.box.put(message{
		do:   func(now time.Time) { c.core.accept(now, inc, o) },
		late: func() { inc.Reject(wire.ResetProtocol) },
	})
}

// register gives c a key whose token no other connection has (RFC 8684 §3.1).
func (l *Listener) register(c *Conn) (Key, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tokens) >= maxPending {
		return 0, false
	}
	for {
		key := NewKey()
		if _, taken := l.tokens[key.Token()]; !taken {
			l.tokens[key.Token()] = c
			return key, true
		}
	}
}

func (l *Listener) forget(token uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.tokens, token)
}

// offer queues an established connection for Accept; when nobody takes them it is broken off.
func (l *Listener) offer(c *Conn) {
	select {
	case l.queue <- c:
	default:
		c.box.put(message{do: c.abortedByUs})
	}
}
