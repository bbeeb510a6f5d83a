package plaintest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"hawser/transport"
	"hawser/transport/plain"
)

var _ plain.Dialer = (*Network)(nil)

// acceptBacklog is how many connections may wait for Accept.
const acceptBacklog = 1024

// Dial connects over the link that p.Uplink names.
func (n *Network) Dial(ctx context.Context, p transport.Path) (plain.Socket, error) {
	h, err := n.begin(p)
	if err != nil {
		return nil, err
	}
	select {
	case err := <-h.result:
		if err != nil {
			return nil, err
		}
		return h.sock, nil
	case <-ctx.Done():
		h.cancel()
		return nil, fmt.Errorf("dial %v: %w", p.Remote, ctx.Err())
	}
}

// handshake is a client's connection that is being set up.
type handshake struct {
	sock     *socket
	server   *socket // nil until the first SYN has arrived
	result   chan error
	done     bool
	remote   netip.AddrPort
	up, down *direction
}

func (n *Network) begin(p transport.Path) (*handshake, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.links[p.Uplink]
	if l == nil {
		return nil, fmt.Errorf("plaintest: no link %q", p.Uplink)
	}
	l.port++
	local := netip.AddrPortFrom(l.client, 30000+l.port)
	if p.Local.IsValid() {
		local = netip.AddrPortFrom(p.Local, 30000+l.port)
	}
	h := &handshake{
		sock: newSocket(n, l, local, p.Remote), result: make(chan error, 1),
		remote: p.Remote, up: l.up, down: l.down,
	}
	h.sock.out, h.sock.in = newFlow(n, l.up, l.down), newFlow(n, l.down, l.up)
	h.syn(time.Now(), time.Second)
	return h, nil
}

// syn sends the first segment, again and again (RFC 6298 §5.7).
func (h *handshake) syn(now time.Time, again time.Duration) {
	if h.done {
		return
	}
	h.up.send(now, packet{size: headerSize, arrive: h.arrive})
	h.sock.n.timeline.At(now.Add(again), func(now time.Time) { h.syn(now, 2*again) })
}

// arrive is a SYN at the server.
func (h *handshake) arrive(now time.Time) {
	n := h.sock.n
	ln := n.listeners[h.remote]
	if ln == nil {
		h.down.send(now, packet{size: headerSize, arrive: func(time.Time) {
			h.finish(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED})
		}})
		return
	}
	if h.server == nil {
		s := newSocket(n, h.sock.link, h.remote, h.sock.local)
		s.out, s.in = h.sock.in, h.sock.out
		s.peer, h.sock.peer = h.sock, s
		s.out.from, s.out.to = s, h.sock
		s.in.from, s.in.to = h.sock, s
		select {
		case ln.ready <- s:
			h.server = s
		default: // the backlog is full
			delete(h.sock.link.sockets, s)
			return
		}
	}
	h.down.send(now, packet{size: headerSize, arrive: func(time.Time) { h.finish(nil) }})
}

// finish ends the dial.
func (h *handshake) finish(err error) {
	if h.done {
		return
	}
	h.done = true
	if err != nil {
		delete(h.sock.link.sockets, h.sock)
	}
	h.result <- err
}

// cancel gives up; the server's end, if there is one, hears of it.
func (h *handshake) cancel() {
	h.sock.n.mu.Lock()
	defer h.sock.n.mu.Unlock()
	h.done = true
	h.sock.leave()
	if h.server != nil {
		h.sock.out.stop()
		h.sock.sendReset(time.Now())
	}
}

// listener is a port of the server.
type listener struct {
	n     *Network
	addr  netip.AddrPort
	ready chan *socket
	done  chan struct{}
}

// Listen opens a port of the server's side; a port that is open is a mistake of the test.
func (n *Network) Listen(addr netip.AddrPort) plain.SocketListener {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[addr] != nil {
		panic(fmt.Sprintf("BUG: plaintest: %v is in use", addr))
	}
	ln := &listener{n: n, addr: addr, ready: make(chan *socket, acceptBacklog), done: make(chan struct{})}
	n.listeners[addr] = ln
	return ln
}

// Accept waits for the next connection.
func (l *listener) Accept() (plain.Socket, error) {
	select {
	case s := <-l.ready:
		return s, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close closes the port; what waits for Accept is reset.
func (l *listener) Close() error {
	l.n.mu.Lock()
	open := l.n.listeners[l.addr] == l
	if open {
		delete(l.n.listeners, l.addr)
		close(l.done)
	}
	l.n.mu.Unlock()
	if !open {
		return net.ErrClosed
	}
	for {
		select {
		case s := <-l.ready:
			_ = s.Reset()
		default:
			return nil
		}
	}
}

// Addr is the port's address.
func (l *listener) Addr() netip.AddrPort { return l.addr }
