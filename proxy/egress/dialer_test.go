package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hawser/proxy/relay"
)

// names is a Resolver.
type names map[string][]string

func (n names) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	if host == "slow.example" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	list, ok := n[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	addrs := make([]netip.Addr, len(list))
	for i, s := range list {
		addrs[i] = netip.MustParseAddr(s)
	}
	return addrs, nil
}

func open(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func portOf(l net.Listener) uint16 { return l.Addr().(*net.TCPAddr).AddrPort().Port() }

func wantCode(t *testing.T, why string, err error, code relay.Code) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code || e.ReplyCode() != byte(code) {
		t.Errorf("%s: %v; want code %d (%v)", why, err, code, code)
	}
}

func TestDialReachesWhatIsAllowed(t *testing.T) {
	l := open(t)
	policy := NewPolicy(prefixes("127.0.0.1/32"), nil, own())
	d := NewDialer(policy, names{"ok.example": {"127.0.0.1"}, "some.example": {"127.0.0.2", "127.0.0.1"}}, 0)
	for _, target := range []Target{
		{Addr: netip.MustParseAddr("127.0.0.1"), Port: portOf(l)},
		{Addr: netip.MustParseAddr("::ffff:127.0.0.1"), Port: portOf(l)},
		{Name: "127.0.0.1", Port: portOf(l)},
		{Name: "ok.example", Port: portOf(l)},
		{Name: "some.example", Port: portOf(l)}, // one of two addresses is denied
	} {
		conn, err := d.Dial(t.Context(), target)
		if err != nil {
			t.Errorf("%v: %v", target, err)
			continue
		}
		if mp, err := conn.(*net.TCPConn).MultipathTCP(); err != nil || mp {
			t.Errorf("%v: Multipath TCP to the target: %v, %v; want none", target, mp, err)
		}
		conn.Close()
	}
}

func TestDialFailuresHaveTheirReplyCodes(t *testing.T) {
	l := open(t)
	refusing := portOf(l)
	l.Close()
	policy := NewPolicy(prefixes("127.0.0.1/32"), nil, own())
	d := NewDialer(policy, names{
		"rebound.example": {"127.0.0.2", "192.168.1.1", "::1", "64:ff9b::c0a8:101"},
		"empty.example":   {},
	}, patience)
	impatient := NewDialer(policy, names{}, 50*time.Millisecond)
	loopback := netip.MustParseAddr("127.0.0.1")
	cases := map[string]struct {
		target Target
		code   relay.Code
	}{
		"refused":                         {Target{Addr: loopback, Port: refusing}, relay.CodeConnectionRefused},
		"denied address":                  {Target{Addr: netip.MustParseAddr("10.0.0.1"), Port: 1}, relay.CodeNotAllowed},
		"denied address with a zone":      {Target{Name: "fe80::1%lo", Port: 1}, relay.CodeNotAllowed},
		"name that is a denied address":   {Target{Name: "127.0.0.2", Port: 1}, relay.CodeNotAllowed},
		"name with private addresses":     {Target{Name: "rebound.example", Port: 1}, relay.CodeNotAllowed},
		"name without addresses":          {Target{Name: "empty.example", Port: 1}, relay.CodeHostUnreachable},
		"name that is not found":          {Target{Name: "no.example", Port: 1}, relay.CodeHostUnreachable},
		"name server that does not reply": {Target{Name: "slow.example", Port: 1}, relay.CodeTimeout},
		"port 0":                          {Target{Addr: loopback}, relay.CodeGeneralFailure},
		"neither name nor address":        {Target{Port: 1}, relay.CodeNotAllowed},
	}
	for name, c := range cases {
		dialer := d
		if c.code == relay.CodeTimeout {
			dialer = impatient
		}
		conn, err := dialer.Dial(t.Context(), c.target)
		if conn != nil {
			conn.Close()
		}
		wantCode(t, name, err, c.code)
	}
}

// A name may resolve to something else between the check and the dial: what counts is the address that is dialled.
func TestPolicyIsAskedAboutTheAddressThatIsDialled(t *testing.T) {
	l := open(t)
	d := NewDialer(NewPolicy(nil, nil, own()), nil, 0)
	conn, err := d.connectTCP(t.Context(), l.Addr().(*net.TCPAddr).AddrPort())
	if conn != nil {
		conn.Close()
	}
	wantCode(t, "loopback past the filter", failure(err), relay.CodeNotAllowed)
	if err := l.SetDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if c, err := l.Accept(); err == nil {
		c.Close()
		t.Error("a connection was made all the same")
	}
}

func TestConnectionToItselfIsDenied(t *testing.T) {
	d := NewDialer(NewPolicy(prefixes("203.0.113.2/32"), nil, own()), nil, 0)
	for _, c := range []struct {
		local, remote string
		denied        bool
	}{
		{"203.0.113.1:1000", "203.0.113.1:80", true},  // an address that no interface lists
		{"203.0.113.2:1000", "203.0.113.2:80", false}, // allowed
		{"203.0.113.1:1000", "203.0.113.3:80", false},
	} {
		if err := d.checkSelf(netip.MustParseAddrPort(c.local), netip.MustParseAddrPort(c.remote)); (err != nil) != c.denied {
			t.Errorf("%s to %s: %v; want denied %v", c.local, c.remote, err, c.denied)
		}
	}
}

func TestCodesOfSystemErrors(t *testing.T) {
	for err, code := range map[error]relay.Code{
		syscall.ECONNREFUSED: relay.CodeConnectionRefused, syscall.Errno(10061): relay.CodeConnectionRefused,
		syscall.ENETUNREACH: relay.CodeNetworkUnreachable, syscall.Errno(10051): relay.CodeNetworkUnreachable,
		syscall.EHOSTUNREACH: relay.CodeHostUnreachable, syscall.Errno(10065): relay.CodeHostUnreachable,
		syscall.ETIMEDOUT: relay.CodeTimeout, syscall.Errno(10060): relay.CodeTimeout,
		syscall.EACCES: relay.CodeNotAllowed, syscall.EMFILE: relay.CodeGeneralFailure,
		context.DeadlineExceeded: relay.CodeTimeout, os.ErrDeadlineExceeded: relay.CodeTimeout,
		context.Canceled:                   relay.CodeGeneralFailure,
		&DeniedError{}:                     relay.CodeNotAllowed,
		&net.DNSError{Err: "server fails"}: relay.CodeHostUnreachable,
		errors.New("anything else"):        relay.CodeGeneralFailure,
	} {
		wrapped := fmt.Errorf("egress: %w", &net.OpError{Op: "dial", Err: err})
		wantCode(t, err.Error(), failure(wrapped), code)
	}
}

// scene is a network in virtual time: what happens to a connect, and after how long.
type scene map[string]struct {
	after time.Duration
	err   error // nil: connected
}

type sceneConn struct {
	net.Conn
	addr   netip.Addr
	closed *[]netip.Addr
}

func (c sceneConn) Close() error { *c.closed = append(*c.closed, c.addr); return nil }

func TestRaceOfAddresses(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	unreachable := &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}
	const forever = time.Hour
	cases := map[string]struct {
		addrs []string
		net   scene
		won   string
		code  relay.Code
		took  time.Duration
	}{
		"first answers in time":             {[]string{"2600::1", "8.8.8.8"}, scene{"2600::1": {200 * time.Millisecond, nil}}, "2600::1", 0, 200 * time.Millisecond},
		"black hole: second after 250 ms":   {[]string{"2600::1", "8.8.8.8"}, scene{"2600::1": {forever, nil}, "8.8.8.8": {20 * time.Millisecond, nil}}, "8.8.8.8", 0, 270 * time.Millisecond},
		"failure: second at once":           {[]string{"2600::1", "8.8.8.8"}, scene{"2600::1": {10 * time.Millisecond, unreachable}, "8.8.8.8": {20 * time.Millisecond, nil}}, "8.8.8.8", 0, 30 * time.Millisecond},
		"families take turns":               {[]string{"2600::1", "2600::2", "8.8.8.8"}, scene{"2600::1": {forever, nil}, "2600::2": {forever, nil}, "8.8.8.8": {0, nil}}, "8.8.8.8", 0, 250 * time.Millisecond},
		"slow first still wins":             {[]string{"2600::1", "8.8.8.8"}, scene{"2600::1": {300 * time.Millisecond, nil}, "8.8.8.8": {100 * time.Millisecond, nil}}, "2600::1", 0, 300 * time.Millisecond},
		"all refuse":                        {[]string{"2600::1", "8.8.8.8"}, scene{"2600::1": {0, unreachable}, "8.8.8.8": {0, refused}}, "", relay.CodeConnectionRefused, 0},
		"refused, then silence":             {[]string{"8.8.8.8", "8.8.4.4"}, scene{"8.8.8.8": {0, refused}, "8.8.4.4": {forever, nil}}, "", relay.CodeConnectionRefused, 10 * time.Second},
		"silence":                           {[]string{"8.8.8.8", "8.8.4.4"}, scene{"8.8.8.8": {forever, nil}, "8.8.4.4": {forever, nil}}, "", relay.CodeTimeout, 10 * time.Second},
		"unreachable, then silence":         {[]string{"2600::1", "8.8.4.4"}, scene{"2600::1": {0, unreachable}, "8.8.4.4": {forever, nil}}, "", relay.CodeTimeout, 10 * time.Second},
		"silence of the only address":       {[]string{"8.8.8.8"}, scene{"8.8.8.8": {forever, nil}}, "", relay.CodeTimeout, 10 * time.Second},
		"denied address is never connected": {[]string{"10.0.0.1", "8.8.8.8"}, scene{"10.0.0.1": {0, nil}, "8.8.8.8": {5 * time.Millisecond, nil}}, "8.8.8.8", 0, 5 * time.Millisecond},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var closed []netip.Addr
				d := NewDialer(NewPolicy(nil, nil, own()), names{"x.example": c.addrs}, 10*time.Second)
				d.connect = func(ctx context.Context, a netip.AddrPort) (net.Conn, error) {
					end := c.net[a.Addr().String()]
					select {
					case <-time.After(end.after):
						return sceneConn{addr: a.Addr(), closed: &closed}, end.err
					case <-ctx.Done():
						return nil, ctx.Err()
					}
				}
				start := time.Now()
				conn, err := d.Dial(t.Context(), Target{Name: "x.example", Port: 443})
				if took := time.Since(start); took != c.took {
					t.Errorf("took %v; want %v", took, c.took)
				}
				if c.won == "" {
					wantCode(t, name, err, c.code)
				} else if err != nil || conn.(sceneConn).addr.String() != c.won {
					t.Errorf("connected to %v, %v; want %s", conn, err, c.won)
				}
				synctest.Wait() // the losers end
			})
		})
	}
}

func TestLateWinnersAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var closed []netip.Addr
		d := NewDialer(NewPolicy(nil, nil, own()), names{"x.example": {"2600::1", "8.8.8.8"}}, 0)
		d.connect = func(_ context.Context, a netip.AddrPort) (net.Conn, error) { // deaf to cancellation
			if a.Addr().Is6() {
				time.Sleep(time.Second)
			}
			return sceneConn{addr: a.Addr(), closed: &closed}, nil
		}
		conn, err := d.Dial(t.Context(), Target{Name: "x.example", Port: 443})
		if err != nil || conn.(sceneConn).addr.String() != "8.8.8.8" {
			t.Fatalf("connected to %v, %v; want 8.8.8.8", conn, err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(closed) != 1 || closed[0].String() != "2600::1" {
			t.Errorf("closed %v; want 2600::1 alone", closed)
		}
	})
}

func TestManyAddressesAreBounded(t *testing.T) {
	var list []string
	for i := range 100 {
		list = append(list, fmt.Sprintf("8.8.8.%d", i))
	}
	d := NewDialer(NewPolicy(nil, nil, own()), names{"x.example": list}, 0)
	tried := make(chan netip.Addr, 100)
	d.connect = func(_ context.Context, a netip.AddrPort) (net.Conn, error) {
		tried <- a.Addr()
		return nil, syscall.ECONNREFUSED
	}
	_, err := d.Dial(t.Context(), Target{Name: "x.example", Port: 443})
	wantCode(t, "all refuse", err, relay.CodeConnectionRefused)
	if len(tried) != maxAddresses {
		t.Errorf("%d addresses were tried; want %d", len(tried), maxAddresses)
	}
}

func TestTextsSayWhatToDo(t *testing.T) {
	d := NewDialer(NewPolicy(nil, nil, own()), nil, 0)
	_, err := d.Dial(t.Context(), Target{Name: "10.0.0.1", Port: 80})
	if err == nil || !strings.Contains(err.Error(), "10.0.0.1") || !strings.Contains(err.Error(), "egress.allow") {
		t.Errorf("%v; want the address and the key to change", err)
	}
}
