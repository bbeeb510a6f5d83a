package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"testing"

	"hawser/test/netlab"
)

// "The host may elect to end the discovery process by ceasing to set the DF bit in the datagram headers" (RFC 1191 §3): a
// router whose next link takes less than the 552 bytes that both systems make their packets at least cuts them up, in both
// directions, and both put them together again. With 1280 bytes on IPv6 nothing is cut.
func TestThroughLinksWithASmallMTU(t *testing.T) {
	for _, mtu := range []int{296, 508, 552, 576, 1280} {
		t.Run(fmt.Sprint(mtu), func(t *testing.T) {
			everyRole(t, func(t *testing.T, catListens, v6 bool) {
				if v6 && mtu < 1280 {
					return // RFC 8200 §5: there is no such link
				}
				t.Parallel()
				lab := netlab.New(t)
				a, near, far, b := lab.Host("a"), lab.Router("near"), lab.Router("far"), lab.Host("b")
				la := lab.Link(a, near, netlab.LinkConfig{})
				narrow := lab.Link(near, far, netlab.LinkConfig{})
				lb := lab.Link(far, b, netlab.LinkConfig{})
				a.Route(netlab.Route{Via: address(la, netlab.SideB, v6).String(), Dev: la.Interface(netlab.SideA)})
				near.Route(netlab.Route{Via: address(narrow, netlab.SideB, v6).String(), Dev: narrow.Interface(netlab.SideA)})
				far.Route(netlab.Route{Via: address(narrow, netlab.SideA, v6).String(), Dev: narrow.Interface(netlab.SideB)})
				b.Route(netlab.Route{Via: address(lb, netlab.SideA, v6).String(), Dev: lb.Interface(netlab.SideB)})
				shrink(t, near, narrow.Interface(netlab.SideA), mtu)
				shrink(t, far, narrow.Interface(netlab.SideB), mtu)
				f := exchange{
					from: a, to: b, at: address(lb, netlab.SideB, v6), catListens: catListens,
					up: stream{1, megabyte / 4}, down: stream{2, megabyte / 4},
				}.run(t)
				t.Logf("%+v", f)
			})
		})
	}
}

// shrink makes an interface's MTU smaller than the lab does.
func shrink(t *testing.T, h *netlab.Host, name string, mtu int) {
	t.Helper()
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Skip("missing program: ip")
	}
	if out, err := h.Command(t.Context(), ip, "link", "set", "dev", name, "mtu", strconv.Itoa(mtu)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
