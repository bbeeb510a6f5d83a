package plain

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// Config is how a Listener listens. The zero value of a field is its default.
type Config struct {
	Address    string        // host:port; empty host: all addresses
	Congestion string        // congestion control by name; empty: the system's default
	Handshake  time.Duration // until a stranger's first record has arrived; 0: 10 s
	// Strangers is how many connections may be open that have not been authenticated; 0: 1024. PerSource is the same
	// for one source, an IPv4 address or an IPv6 /64; 0: 128. One more evicts another: see strangers.
	Strangers int
	PerSource int
}

const (
	defaultHandshake = 10 * time.Second
	defaultStrangers = 1024
	defaultPerSource = 128
	backoffMin       = 5 * time.Millisecond
	backoffMax       = time.Second
	// acceptBurst is how many connections are accepted before those that are there get their turn. Without it a flood on a
	// busy machine makes hundreds of goroutines in each turn of the listener's, and an honest client's handshake, which
	// waits for all of them several times, took 0.6 s in place of 0.1 s: as long as it takes to be evicted.
	acceptBurst = 8
)

func (c Config) withDefaults() Config {
	if c.Handshake <= 0 {
		c.Handshake = defaultHandshake
	}
	if c.Strangers <= 0 {
		c.Strangers = defaultStrangers
	}
	if c.PerSource <= 0 {
		c.PerSource = defaultPerSource
	}
	return c
}

// Listener accepts subflows: transport.Acceptor.
type Listener struct {
	cfg   Config
	ln    SocketListener
	table *strangers
	ready chan transport.Incoming
	done  chan struct{}
	once  sync.Once
}

var _ transport.Acceptor = (*Listener)(nil)

// Listen opens the plain carrier's port. The error names the address.
func Listen(cfg Config) (*Listener, error) {
	ln, err := listenTCP(cfg.Address, cfg.Congestion)
	if err != nil {
		return nil, err
	}
	return NewListenerOn(ln, cfg), nil
}

// NewListenerOn accepts subflows on another source of sockets; Config.Address and Congestion do not count.
func NewListenerOn(ln SocketListener, cfg Config) *Listener {
	cfg = cfg.withDefaults()
	l := &Listener{
		cfg: cfg, ln: ln, table: newStrangers(cfg.Strangers, cfg.PerSource),
		ready: make(chan transport.Incoming), done: make(chan struct{}),
	}
	go l.serve()
	return l
}

// Addr is where the listener listens.
func (l *Listener) Addr() netip.AddrPort { return l.ln.Addr() }

// Encrypts is that of Carrier.
func (l *Listener) Encrypts() bool { return encrypts }

// Stats counts what came and what was turned away.
func (l *Listener) Stats() Stats { return l.table.snapshot() }

// Accept waits for the next subflow whose first options have arrived.
func (l *Listener) Accept() (transport.Incoming, error) {
	select {
	case in := <-l.ready:
		return in, nil
	case <-l.done:
		return transport.Incoming{}, &net.OpError{Op: "accept", Net: "plain", Err: net.ErrClosed}
	}
}

// Close stops listening and ends the connections that nobody has attached.
func (l *Listener) Close() error {
	var err error
	l.once.Do(func() {
		close(l.done)
		err = l.ln.Close()
		l.table.close()
	})
	return err
}

// serve accepts until Close. Running out of descriptors or memory slows it down, and makes room at the cost of the
// strangers; it never ends it.
func (l *Listener) serve() {
	delay, accepted := time.Duration(0), 0
	for {
		sock, err := l.ln.Accept()
		if err == nil {
			delay = 0
			l.welcome(sock)
			if accepted++; accepted%acceptBurst == 0 {
				runtime.Gosched()
			}
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		l.table.acceptFailed()
		delay = min(max(2*delay, backoffMin), backoffMax)
		select {
		case <-time.After(delay):
		case <-l.done:
			return
		}
	}
}

// welcome begins a stranger's handshake.
func (l *Listener) welcome(sock Socket) {
	st := &stranger{sock: sock, remote: sock.RemoteAddr(), listener: l}
	if !l.table.add(st) {
		_ = sock.Reset()
		return
	}
	_ = sock.SetReadTimeout(l.cfg.Handshake)
	go st.greet()
}

// offer hands a stranger to Accept; false when the listener closes first.
func (l *Listener) offer(st *stranger, options []wire.Option) bool {
	in := transport.Incoming{
		Options: options, Remote: st.remote, Local: st.sock.LocalAddr(),
		Attach: st.attach, Authenticated: st.authenticated, Reject: st.reject,
	}
	select {
	case l.ready <- in:
		return true
	case <-l.done:
		return false
	case <-st.gone:
		return false
	}
}
