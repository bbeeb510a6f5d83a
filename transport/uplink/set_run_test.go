package uplink

import (
	"context"
	"errors"
	"net/netip"
	"testing"
)

func TestSetReadsThisMachineWithoutPrivileges(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	up := make(chan Uplink, 8)
	s := NewSet([]Config{{Name: "self", Source: netip.MustParseAddr("127.0.0.1")}}, func(u Uplink) { up <- u })
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	if u := <-up; u.State != StateUp || u.Interface != "" || u.ID != 1 || u.Address() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("%s", row(u))
	}
	if err := s.Route(s.Uplinks()[0], netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.1")); err != nil {
		t.Errorf("no route to itself: %v", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run returned %v", err)
	}
}
