package plain

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"hawser/transport"
)

const (
	dialTime = 2 * time.Second // one try; the session tries again
	// Kernel keep-alive is a backstop against connections that nobody judges any more: 2 min + 10 × 1 min is longer
	// than any judgement of a session.
	keepIdle     = 2 * time.Minute
	keepInterval = time.Minute
	keepCount    = 10
)

func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: keepIdle, Interval: keepInterval, Count: keepCount}
}

// tcpDialer is the Dialer of the operating system's TCP.
type tcpDialer struct{ congestion string }

// Dial connects over p, bound to its interface and source address.
func (t tcpDialer) Dial(ctx context.Context, p transport.Path) (Socket, error) {
	if !p.Remote.IsValid() {
		return nil, errors.New("the path has no address of the peer")
	}
	remote := netip.AddrPortFrom(p.Remote.Addr().Unmap(), p.Remote.Port())
	d := net.Dialer{Timeout: dialTime, KeepAliveConfig: keepAlive(), FallbackDelay: -1}
	d.SetMultipathTCP(false) // multipath is ours; the kernel's would bond what is measured singly
	if local := p.Local.Unmap(); local.IsValid() {
		if local.Is4() != remote.Addr().Is4() {
			return nil, fmt.Errorf("source %v cannot reach %v: one is IPv4, the other IPv6", local, remote.Addr())
		}
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
	}
	d.Control = func(_, _ string, c syscall.RawConn) error {
		return control(c, func(fd uintptr) error {
			setCongestion(fd, t.congestion)
			if p.Interface == "" {
				return nil
			}
			return bindInterface(fd, p.Interface, remote.Addr().Is6())
		})
	}
	conn, err := d.DialContext(ctx, "tcp", remote.String())
	if err != nil {
		return nil, explainDial(err, p)
	}
	return newTCPSocket(conn.(*net.TCPConn))
}

// explainDial says what to do about a failed dial.
func explainDial(err error, p transport.Path) error {
	switch {
	case isNotAvailable(err) && p.Local.IsValid():
		return fmt.Errorf("source address %v is not assigned to this machine: %w", p.Local, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%v refused the connection; is the server running and is this its plain port? %w", p.Remote, err)
	}
	return err
}

// control runs f on the socket and returns its error.
func control(c syscall.RawConn, f func(fd uintptr) error) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = f(fd) }); e != nil {
		return e
	}
	return err
}

// tcpListener is the SocketListener of the operating system's TCP.
type tcpListener struct{ ln *net.TCPListener }

func listenTCP(address, congestion string) (*tcpListener, error) {
	lc := net.ListenConfig{KeepAliveConfig: keepAlive()}
	lc.SetMultipathTCP(false)
	lc.Control = func(_, _ string, c syscall.RawConn) error {
		return control(c, func(fd uintptr) error {
			setCongestion(fd, congestion) // accepted connections inherit it
			return nil
		})
	}
	ln, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("plain: cannot listen on %q: %w", address, err)
	}
	return &tcpListener{ln.(*net.TCPListener)}, nil
}

// Accept waits for the next connection.
func (l *tcpListener) Accept() (Socket, error) {
	conn, err := l.ln.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return newTCPSocket(conn)
}

// Close stops listening.
func (l *tcpListener) Close() error { return l.ln.Close() }

// Addr is where the listener listens.
func (l *tcpListener) Addr() netip.AddrPort { return addrPort(l.ln.Addr()) }

// addrPort is a TCP address without the IPv4-in-IPv6 form.
func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
