package uplink

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type attempt = func(context.Context) (string, error)

func TestHedgeTakesTheFirstSuccess(t *testing.T) {
	bad := errors.New("refused")
	after := func(d time.Duration, v string, err error) attempt {
		return func(ctx context.Context) (string, error) {
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(d):
				return v, err
			}
		}
	}
	for _, c := range []struct {
		name     string
		one, two attempt
		want     string
		err      error
		took     time.Duration
	}{
		{"the first is quick", after(time.Millisecond, "one", nil), nil, "one", nil, time.Millisecond},
		{"the first fails at once", after(0, "", bad), after(time.Millisecond, "two", nil), "two", nil, time.Millisecond},
		{"the first is slow", after(3*time.Second, "one", nil), after(time.Millisecond, "two", nil), "two", nil, 1001 * time.Millisecond},
		{"both are slow", after(2*time.Second, "one", nil), after(3*time.Second, "two", nil), "one", nil, 2 * time.Second},
		{"both fail", after(2*time.Second, "", bad), after(0, "", errors.New("timeout")), "", bad, 2 * time.Second},
		{"neither ends", after(time.Hour, "", nil), after(time.Hour, "", nil), "", context.DeadlineExceeded, 8 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				got, err := hedge(t.Context(), lookupHedge, c.one, c.two)
				if got != c.want || !errors.Is(err, c.err) || time.Since(start) != c.took {
					t.Errorf("%q, %v after %v; want %q, %v after %v", got, err, time.Since(start), c.want, c.err, c.took)
				}
			})
		})
	}
}

func TestUnreachableAnswersAreLeftOut(t *testing.T) {
	var as []netip.Addr
	for s := range strings.FieldsSeq("0.0.0.0 :: 224.0.0.1 fe80::1 ::ffff:198.51.100.1 2001:db8::1") {
		as = append(as, netip.MustParseAddr(s))
	}
	if got := text(reachable(as)); got != "[198.51.100.1 2001:db8::1]" {
		t.Errorf("left are %s", got)
	}
	if got := len(reachable(make([]netip.Addr, 0))); got != 0 {
		t.Errorf("%d addresses out of none", got)
	}
	many := make([]netip.Addr, 100)
	for i := range many {
		many[i] = netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})
	}
	if got := len(reachable(many)); got != maxAnswers {
		t.Errorf("%d addresses, want %d", got, maxAnswers)
	}
}

func TestNameserverOfAnotherFamilyIsNotAsked(t *testing.T) {
	u := Uplink{Name: "dsl", V4: []netip.Addr{netip.MustParseAddr("192.0.2.7")}}
	if c, err := dialNameserver(t.Context(), u, "udp", "[2001:db8::53]:53"); err == nil {
		_ = c.Close()
		t.Error("an IPv4 uplink asks an IPv6 nameserver")
	}
}

func TestNameserverOnLoopbackIsNotBound(t *testing.T) {
	u := Uplink{Name: "dsl", Interface: "does-not-exist", V4: []netip.Addr{netip.MustParseAddr("192.0.2.7")}}
	c, err := dialNameserver(t.Context(), u, "udp", "127.0.0.53:53")
	if err != nil {
		t.Fatalf("dial a local nameserver: %v", err)
	}
	if at := netip.MustParseAddrPort(c.LocalAddr().String()); !at.Addr().IsLoopback() {
		t.Errorf("it is asked from %s", at)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
