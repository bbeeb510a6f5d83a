package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"hawser/proxy/relay"
)

// DefaultConnectTimeout is the connect timeout when a Dialer names none: resolving and all attempts together.
const DefaultConnectTimeout = 10 * time.Second

// maxAddresses bounds the addresses of one name that are tried; at one every attemptDelay a connect timeout of
// 10 s has no time for more than 40.
const maxAddresses = 16

// Resolver looks names up; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Target is where a stream wants to go: a name to be resolved here or an address, and a port from 1 to 65,535.
type Target struct {
	Name string     // empty: Addr counts
	Addr netip.Addr // invalid: Name counts
	Port uint16
}

// String is "host:port" as a log shows it.
func (t Target) String() string {
	if t.Name != "" {
		return net.JoinHostPort(t.Name, fmt.Sprint(t.Port))
	}
	return netip.AddrPortFrom(t.Addr, t.Port).String()
}

// literal tells whether there is nothing to resolve.
func (t Target) literal() bool {
	if t.Name == "" {
		return true
	}
	_, err := netip.ParseAddr(t.Name)
	return err == nil
}

// Dialer connects to targets as far as the policy permits. It may be used from any goroutine.
type Dialer struct {
	policy   *Policy
	resolver Resolver
	timeout  time.Duration
	// connect makes one connection within timeout; a seam: connectTCP.
	connect func(ctx context.Context, a netip.AddrPort) (net.Conn, error)
}

// NewDialer makes a Dialer. resolver nil means the system's; timeout bounds resolving and connecting together, 0
// means DefaultConnectTimeout.
func NewDialer(policy *Policy, resolver Resolver, timeout time.Duration) *Dialer {
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	if timeout <= 0 {
		timeout = DefaultConnectTimeout
	}
	d := &Dialer{policy: policy, resolver: resolver, timeout: timeout}
	d.connect = d.connectTCP
	return d
}

// Dial connects to t by TCP. Its error is an *Error with a reply code.
func (d *Dialer) Dial(ctx context.Context, t Target) (net.Conn, error) {
	if t.Port == 0 {
		return nil, &Error{relay.CodeGeneralFailure, errors.New("egress: port 0 cannot be connected to")}
	}
	if !t.literal() { // else connect alone keeps the time
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.timeout)
		defer cancel()
	}
	addrs, err := d.addresses(ctx, t)
	if err != nil {
		return nil, failure(err)
	}
	conn, err := d.race(ctx, addrs, t.Port)
	if err != nil {
		return nil, failure(err)
	}
	return conn, nil
}

// addresses resolves t and drops what the policy denies; its answer has at least one address.
func (d *Dialer) addresses(ctx context.Context, t Target) ([]netip.Addr, error) {
	addrs, err := d.resolve(ctx, t)
	if err != nil {
		return nil, err
	}
	permitted := addrs[:0:0]
	var denied error
	for _, a := range addrs {
		switch err := d.policy.Check(a); {
		case err == nil:
			permitted = append(permitted, a.WithZone("").Unmap())
		case denied == nil:
			denied = err
		}
	}
	if len(permitted) == 0 {
		return nil, denied
	}
	return interleave(permitted)[:min(len(permitted), maxAddresses)], nil
}

func (d *Dialer) resolve(ctx context.Context, t Target) ([]netip.Addr, error) {
	if t.Name == "" {
		return []netip.Addr{t.Addr}, nil
	}
	if a, err := netip.ParseAddr(t.Name); err == nil {
		return []netip.Addr{a}, nil
	}
	addrs, err := d.resolver.LookupNetIP(ctx, "ip", t.Name)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("egress: resolve %q: %w", t.Name, ctx.Err())
	case err != nil:
		return nil, &Error{relay.CodeHostUnreachable, fmt.Errorf("egress: resolve %q: %w", t.Name, err)}
	case len(addrs) == 0:
		return nil, &Error{relay.CodeHostUnreachable, fmt.Errorf("egress: resolve %q: the name has no addresses", t.Name)}
	}
	return addrs, nil
}

// keepAlive finds targets that have vanished. It is four system calls that nobody has to wait for, which is why the dialer
// does not make them.
func keepAlive(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetKeepAliveConfig(net.KeepAliveConfig{
			Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 8,
		}) // fails only on a connection that has ended
	}
}

// checkSelf catches the addresses of this server that no interface lists (local routes, an address that came within
// ownAge): whoever connects to himself has the same address at both ends.
func (d *Dialer) checkSelf(local, remote netip.AddrPort) error {
	a := remote.Addr().Unmap()
	if local.Addr().Unmap() != a || d.policy.allowed(a) {
		return nil
	}
	return &DeniedError{a, "an address of the server itself"}
}
