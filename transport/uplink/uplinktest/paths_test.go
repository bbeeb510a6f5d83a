package uplinktest_test

import (
	"errors"
	"net/netip"
	"testing"

	"hawser/transport"
	"hawser/transport/uplink"
	"hawser/transport/uplink/uplinktest"
)

func TestPathsTellBeforeTheChangeReturns(t *testing.T) {
	dsl := transport.Path{Uplink: "dsl", ID: 1, Carrier: "plain"}
	lte := transport.Path{Uplink: "lte", ID: 2, Carrier: "plain"}
	ps := uplinktest.NewPaths(dsl, lte)
	var seen []int
	stop := ps.Watch(func() { seen = append(seen, len(ps.Paths())) })
	restore := ps.Without(1)
	restore()
	stop()
	ps.Replace()
	if len(seen) != 2 || seen[0] != 1 || seen[1] != 2 {
		t.Errorf("the watcher saw %v paths, want 1, 2", seen)
	}
	failed := errors.New("refused")
	ps.Report(lte, failed)
	if rs := ps.Reports(); len(rs) != 1 || rs[0].Path != lte || !errors.Is(rs[0].Err, failed) {
		t.Errorf("reports are %v", rs)
	}
}

func TestSetDrivesTheRealTargets(t *testing.T) {
	s := uplinktest.NewSet(uplinktest.Up(1, "dsl", "192.0.2.7"))
	var _ uplink.Source = s
	if err := s.Route(s.Uplinks()[0], netip.Addr{}, netip.Addr{}); err != nil {
		t.Errorf("no route by default: %v", err)
	}
	s.Down("dsl")
	if u := s.Uplinks()[0]; u.Usable() || u.Reason != "no carrier" {
		t.Errorf("after Down: %+v", u)
	}
}
