package netlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A SplitTCP is a router's transparent proxy: every TCP connection that would be forwarded ends at the router, which
// opens one of its own to where it was going, from the client's address and port. No end can tell by the addresses.
//
// What it stands for: performance-enhancing proxies that split connections (RFC 3135 §3.1.1), in satellite and mobile
// networks and in some firewalls. TCP options do not survive, acknowledgements say nothing about the other end, a
// connection is established before the server has been asked, and segments have other boundaries.
//
// It runs in this process, by nftables' tproxy. Needs what NeedNFTables says.
type SplitTCP struct {
	host      *Host
	listeners []net.Listener
	conns     sync.WaitGroup
	ctx       context.Context
	cancel    context.CancelFunc
	accepted  atomic.Int64
}

// Numbers of the proxy's own in its namespace.
const (
	splitPort  = 3129
	splitMark  = 3129
	splitTable = 9_000
	splitRule  = 5_000
)

// SplitTCP puts the proxy on a router. Connections that are forwarded already are not taken over.
func (h *Host) SplitTCP() *SplitTCP {
	s := &SplitTCP{host: h}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	h.lab.do("split TCP on "+h.name, func() error {
		for network, address := range map[string]string{"tcp4": "0.0.0.0", "tcp6": "[::]"} {
			l, err := s.listen(network, fmt.Sprintf("%s:%d", address, splitPort))
			if err != nil {
				return err
			}
			s.listeners = append(s.listeners, l)
			s.conns.Go(func() { s.accept(l) })
		}
		h.lab.atClose(s.Close)
		return errors.Join(s.deliverLocally(), h.putTable("netlab_split", fmt.Sprintf(`
	chain divert {
		type filter hook prerouting priority mangle; policy accept;
		meta l4proto != tcp accept
		socket transparent 1 meta mark set %d accept
		fib daddr type local accept
		meta l4proto tcp tproxy to :%d meta mark set %[1]d accept
	}
`, splitMark, splitPort)))
	})
	return s
}

// deliverLocally leads marked packets to the router itself, whatever their destination.
func (s *SplitTCP) deliverLocally() error {
	for family, all := range map[int]string{unix.AF_INET: "0.0.0.0/0", unix.AF_INET6: "::/0"} {
		rule := netlink.NewRule()
		rule.Family, rule.Mark, rule.Table, rule.Priority = family, splitMark, splitTable, splitRule
		if err := s.host.nl.RuleAdd(rule); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("rule for marked packets: %w", err)
		}
		_, everything, err := net.ParseCIDR(all)
		if err != nil {
			return err
		}
		err = s.host.nl.RouteReplace(&netlink.Route{
			Dst: everything, LinkIndex: 1, Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST, Table: splitTable,
		})
		if err != nil {
			return fmt.Errorf("route for marked packets: %w", err)
		}
	}
	return nil
}

// Connections is how many connections the proxy has split.
func (s *SplitTCP) Connections() int64 { return s.accepted.Load() }

// Close resets all connections and stops the proxy. New ones are forwarded.
func (s *SplitTCP) Close() error {
	s.cancel()
	for _, l := range s.listeners {
		_ = l.Close()
	}
	s.conns.Wait()
	if s.host.lab.Err() != nil {
		return nil
	}
	return s.host.dropTable("netlab_split")
}

// transparent lets a socket have addresses that are not the host's.
func transparent(network, _ string, c syscall.RawConn) error {
	var set error
	err := c.Control(func(fd uintptr) {
		level, option := unix.SOL_IP, unix.IP_TRANSPARENT
		if network == "tcp6" {
			level, option = unix.SOL_IPV6, unix.IPV6_TRANSPARENT
		}
		set = errors.Join(unix.SetsockoptInt(int(fd), level, option, 1),
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	})
	return errors.Join(err, set)
}

func (s *SplitTCP) listen(network, address string) (l net.Listener, err error) {
	c := net.ListenConfig{Control: transparent}
	c.SetMultipathTCP(false)
	err = s.host.Do(func() error {
		l, err = c.Listen(s.ctx, network, address)
		return err
	})
	return l, err
}

func (s *SplitTCP) accept(l net.Listener) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		s.accepted.Add(1)
		s.conns.Go(func() { s.serve(near.(*net.TCPConn)) })
	}
}

// serve joins a connection with one to where it was going.
func (s *SplitTCP) serve(near *net.TCPConn) {
	far, err := s.dial(near.RemoteAddr(), near.LocalAddr())
	if err != nil {
		reset(near)
		return
	}
	stop := context.AfterFunc(s.ctx, func() {
		reset(near)
		reset(far)
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { relay(far, near) })
	both.Go(func() { relay(near, far) })
	both.Wait()
	_ = near.Close()
	_ = far.Close()
}

// dialTimeout bounds how long the proxy tries to reach the server.
const dialTimeout = 20 * time.Second

func (s *SplitTCP) dial(from, to net.Addr) (*net.TCPConn, error) {
	d := net.Dialer{LocalAddr: from, Control: transparent, Timeout: dialTimeout}
	d.SetMultipathTCP(false)
	var conn net.Conn
	err := s.host.Do(func() (err error) {
		conn, err = d.DialContext(s.ctx, "tcp", to.String())
		return err
	})
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// relay copies one direction. Its end is passed on as an end, a reset of either side as a reset.
func relay(to, from *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil {
		reset(to)
		reset(from)
		return
	}
	_ = to.CloseWrite()
}

// reset ends a connection by a reset.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}
