package packet

import (
	"net/netip"
	"testing"
	"time"
)

// wantHop looks a packet's next hop up.
func (h *hops) wantHop(t *testing.T, why string, now time.Time, k routeKey, want hop) {
	t.Helper()
	if got := h.find(now, k, false, false); got != want {
		t.Errorf("%s: %+v, want %+v", why, got, want)
	}
}

func TestRoutesAreAskedForOnceAndFollowTheKernel(t *testing.T) {
	h := newHops()
	k := routeKey{index: 3, local: here4, remote: there4}
	gateway, mac := netip.MustParseAddr("192.0.2.254"), hardwareAddr{2, 0, 0, 0, 0, 9}
	viaKernel := hop{index: 3}
	h.wantHop(t, "at first", start, k, viaKernel)
	h.wantHop(t, "still", start, k, viaKernel)
	if asked := h.takeUnresolved(); len(asked) != 1 || asked[0] != k {
		t.Fatalf("asked for %v", asked)
	}
	if !h.settle(k, answer{index: 3, mtu: 1400, direct: true, gateway: gateway}) {
		t.Error("the neighbour is no news")
	}
	h.wantHop(t, "without neighbour", start, k, hop{index: 3, mtu: 1400})
	h.learn(neighKey{4, gateway}, neighReachable, mac)
	h.wantHop(t, "a neighbour of that address on another link", start, k, hop{index: 3, mtu: 1400})
	h.learn(neighKey{3, gateway}, neighReachable, mac)
	h.wantHop(t, "with neighbour", start, k, hop{index: 3, mtu: 1400, direct: true, mac: mac})
	h.learn(neighKey{3, gateway}, neighFailed, hardwareAddr{})
	h.wantHop(t, "not reachable: the kernel has to look for it", start, k, hop{index: 3, mtu: 1400, mac: mac})
	h.learn(neighKey{3, gateway}, neighReachable, mac)

	t.Log("# a change of some other route changes nothing, one of this route sends everything through the kernel")
	h.forget(netip.MustParsePrefix("203.0.113.0/24"))
	h.wantHop(t, "other route", start, k, hop{index: 3, mtu: 1400, direct: true, mac: mac})
	h.forget(netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("198.51.100.0/24"))
	h.wantHop(t, "own route", start, k, viaKernel)
	if asked := h.takeUnresolved(); len(asked) != 1 {
		t.Errorf("asked for %v", asked)
	}
	if h.settle(k, answer{index: 3, direct: true, gateway: gateway}) {
		t.Error("the neighbour is known and yet news")
	}
	h.wantHop(t, "the same neighbour again", start, k, hop{index: 3, direct: true, mac: mac})
	h.settle(k, answer{index: 3})
	h.wantHop(t, "a route that is no plain way out", start, k, viaKernel)
	h.lost()
	if asked := h.takeUnresolved(); len(asked) != 1 || len(h.neighbours) != 0 {
		t.Errorf("after missed announcements: asked for %v, %d neighbours", asked, len(h.neighbours))
	}
}

func TestStrangersAndIdlePeersCostNothing(t *testing.T) {
	h := newHops()
	k := routeKey{index: 3, local: here4, remote: there4}
	if got := h.find(start, k, true, true); got != (hop{index: 3}) || len(h.routes) != 0 || h.takeUnresolved() != nil {
		t.Errorf("a control packet to a stranger left %d routes: %+v", len(h.routes), got)
	}
	for range maxRoutes + 10 {
		h.find(start, k, true, false)
		k.remote = k.remote.Next()
	}
	if len(h.routes) != maxRoutes {
		t.Errorf("%d routes", len(h.routes))
	}
	used := routeKey{index: 3, local: here4, remote: there4}
	h.settle(used, answer{index: 3, direct: true, gateway: there4})
	h.find(start.Add(routeIdle), used, true, false)
	h.sweep(start.Add(routeIdle))
	if len(h.routes) != 1 || len(h.neighbours) != 1 {
		t.Errorf("%d routes and %d neighbours are left of those in use", len(h.routes), len(h.neighbours))
	}
	h.sweep(start.Add(3 * routeIdle))
	if len(h.routes)+len(h.neighbours) != 0 {
		t.Errorf("%d routes and %d neighbours are left", len(h.routes), len(h.neighbours))
	}
}
