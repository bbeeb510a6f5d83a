package packet

import (
	"testing"
	"time"
)

func TestNeighbourDecidesWhoFindsTheNextHop(t *testing.T) {
	mac := hardwareAddr{2, 0, 0, 0, 0, 1}
	var n neighbour
	now := start
	want := func(why string, single, direct bool) {
		t.Helper()
		if got := n.direct(now, single); got != direct {
			t.Errorf("%s (state %#x): direct is %v, want %v", why, n.state, got, direct)
		}
	}
	t.Log("# unknown: everything goes through the kernel, which resolves it")
	want("unknown", false, false)
	n.learn(neighIncomplete, hardwareAddr{})
	want("incomplete", false, false)
	t.Log("# resolved: direct, but a small packet a second keeps the kernel's entry in use")
	n.learn(neighReachable, mac)
	want("reachable", false, true)
	want("small packet just after", true, true)
	now = now.Add(neighRefresh)
	want("super-segment", false, true)
	want("small packet a second later", true, false)
	want("next small packet", true, true)
	t.Log("# stale: one packet makes the kernel verify, the rest goes on")
	n.learn(neighStale, mac)
	want("stale", false, false)
	want("stale and asked", false, true)
	n.learn(neighProbe, mac)
	want("probe", false, true)
	n.learn(neighReachable, mac)
	n.learn(neighStale, mac)
	want("stale again", false, false)
	n.learn(neighStale, hardwareAddr{2, 0, 0, 0, 0, 2})
	want("stale with another address", false, false)
	t.Log("# gone")
	n.learn(neighFailed, mac)
	want("failed", false, false)
	want("failed still", false, false)
	n.learn(0, hardwareAddr{})
	want("deleted", true, false)
	t.Log("# static entries need no care")
	for _, s := range []neighState{neighPermanent, neighNoARP} {
		n.learn(s, mac)
		now = now.Add(time.Hour)
		want("static", true, true)
	}
}
