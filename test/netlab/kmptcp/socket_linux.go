package kmptcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"hawser/test/netlab"
)

// Listen listens on a host by MPTCP. It also accepts plain TCP, as every MPTCP socket does (RFC 8684 section 3.7).
func Listen(h *netlab.Host, address string) (l net.Listener, err error) {
	var c net.ListenConfig
	c.SetMultipathTCP(true)
	err = h.Do(func() error {
		l, err = c.Listen(context.Background(), "tcp", address)
		return err
	})
	return l, err
}

// Dial connects from a host by MPTCP; the first subflow starts at the local address, if that is valid. A connection that
// has fallen back to TCP in its handshake is an error.
func Dial(ctx context.Context, h *netlab.Host, local netip.Addr, address string) (conn net.Conn, err error) {
	var d net.Dialer
	d.SetMultipathTCP(true)
	if local.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
	}
	err = h.Do(func() error {
		conn, err = d.DialContext(ctx, "tcp", address)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := multipath(conn); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("kmptcp: connection to %s: %w", address, err)
	}
	return conn, nil
}

// multipath tells why a connection does not use MPTCP; nil: it does.
func multipath(conn net.Conn) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return fmt.Errorf("a %T is no TCP connection", conn)
	}
	used, err := tcp.MultipathTCP()
	if err == nil && !used {
		err = errors.New("it has fallen back to TCP: check that the kernel's net.mptcp.enabled is 1 at both ends")
	}
	return err
}
