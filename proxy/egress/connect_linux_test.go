package egress

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hawser/proxy/relay"
)

// connected makes a connection of a Dialer's and gives both ends.
func connected(t *testing.T) (ours, peer *net.TCPConn) {
	t.Helper()
	l := open(t)
	d := NewDialer(NewPolicy(prefixes("127.0.0.0/8"), nil, own()), nil, patience)
	conn, err := d.Dial(t.Context(), Target{Addr: netip.MustParseAddr("127.0.0.1"), Port: portOf(l)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if peer, err = l.AcceptTCP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	return conn.(*net.TCPConn), peer
}

func TestSocketOptions(t *testing.T) {
	r, accept := target(t)
	d := NewDialer(NewPolicy(prefixes("127.0.0.0/8"), nil, own()), nil, patience)
	ours := make(chan *net.TCPConn, 1)
	d.connect = func(ctx context.Context, a netip.AddrPort) (net.Conn, error) {
		c, err := d.connectTCP(ctx, a)
		if err == nil {
			ours <- c.(*net.TCPConn)
		}
		return c, err
	}
	v := serveBy(t, d, r, nil)
	if _, err := accept().Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(v.client, make([]byte, 1)); err != nil { // so it is relayed
		t.Fatal(err)
	}
	raw, err := (<-ours).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]struct{ level, name, want int }{
		"plain TCP, not Multipath TCP": {unix.SOL_SOCKET, unix.SO_PROTOCOL, unix.IPPROTO_TCP},
		"keep-alive":                   {unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		"keep-alive idle, s":           {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 60},
		"keep-alive interval, s":       {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15},
		"keep-alive count":             {unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 8},
		"no delay":                     {unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
	} {
		got := -1
		if e := raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), o.level, o.name) }); e != nil {
			t.Fatal(e)
		}
		if err != nil || got != o.want {
			t.Errorf("%s: %d, %v; want %d", name, got, err, o.want)
		}
	}
}

func TestSocketIsAConnection(t *testing.T) {
	s, peer := connected(t)
	if s.LocalAddr().String() != peer.RemoteAddr().String() || s.RemoteAddr().String() != peer.LocalAddr().String() {
		t.Errorf("from %v to %v; the peer sees %v and %v", s.LocalAddr(), s.RemoteAddr(), peer.RemoteAddr(), peer.LocalAddr())
	}
	if _, err := s.Write([]byte("up")); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if up, err := io.ReadAll(peer); err != nil || string(up) != "up" {
		t.Errorf("the peer read %q, %v", up, err)
	}
	if err := s.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
	if err := s.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := peer.Write([]byte("down")); err != nil {
		t.Fatal(err)
	}
	peer.Close()
	if down, err := io.ReadAll(s); err != nil || string(down) != "down" {
		t.Errorf("read %q, %v after our half-close", down, err)
	}
	for what, err := range map[string]error{"first": s.Close(), "second": s.Close()} {
		if want := what == "second"; errors.Is(err, net.ErrClosed) != want {
			t.Errorf("%s Close: %v", what, err)
		}
	}
	_, err := s.Read(make([]byte, 1))
	if op := (*net.OpError)(nil); !errors.Is(err, net.ErrClosed) || !errors.As(err, &op) {
		t.Errorf("Read after Close: %v", err)
	}
}

func TestSocketIsReset(t *testing.T) {
	s, peer := connected(t)
	relay.Abort(s)
	if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the peer read %v; want a reset", err)
	}
	s, peer = connected(t)
	relay.Abort(peer)
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %v; want a reset", err)
	}
}

// silent is an address that answers no SYN: a listener whose queue is full.
func silent(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(sa.(*unix.SockaddrInet4).Port))
	first, err := net.Dial("tcp4", at.String()) // the queue takes one more than the backlog
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Close() })
	return at
}

func TestConnectWithoutAnAnswerEnds(t *testing.T) {
	at := silent(t)
	policy := NewPolicy(prefixes("127.0.0.0/8"), nil, own())
	target := Target{Addr: at.Addr(), Port: at.Port()}

	_, err := NewDialer(policy, nil, 50*time.Millisecond).Dial(t.Context(), target)
	wantCode(t, "timeout", err, relay.CodeTimeout)

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = NewDialer(policy, nil, time.Hour).Dial(ctx, target)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
