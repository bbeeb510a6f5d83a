package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"hawser/proxy/relay"
)

// connectTCP makes one connection, within the dialer's timeout. The policy is asked again here, about the very address that
// is dialled.
func (d *Dialer) connectTCP(ctx context.Context, a netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{Timeout: d.timeout, KeepAlive: -1, ControlContext: d.control}
	dialer.SetMultipathTCP(false) // paths are bonded between client and server; the target gets plain TCP
	conn, err := dialer.DialContext(ctx, "tcp", a.String())
	if err != nil {
		return nil, fmt.Errorf("egress: %w", err)
	}
	local, ok1 := conn.LocalAddr().(*net.TCPAddr)
	remote, ok2 := conn.RemoteAddr().(*net.TCPAddr)
	if ok1 && ok2 {
		if err := d.checkSelf(local.AddrPort(), remote.AddrPort()); err != nil {
			relay.Abort(conn)
			return nil, err
		}
	}
	return conn, nil
}

func (d *Dialer) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("egress: address about to be dialled: %w", err)
	}
	return d.policy.Check(a.Addr())
}
