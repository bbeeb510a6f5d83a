package uplink

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// inside is set in the process that runs a test in namespaces of its own.
const inside = "HAWSER_TEST_NAMESPACE"

// inNamespace runs f in a process with network and mount namespaces of its own, where it may do as it likes. It is
// this test program once more, with this one test: a namespace belongs to a thread, and Go code changes threads.
func inNamespace(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	if os.Getenv(inside) == t.Name() {
		f(t)
		return
	}
	if os.Getuid() != 0 {
		t.Skip("needs root: makes network namespaces")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), inside+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("in its namespace: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// must ends the test on an error of setting up.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cable makes a veth pair with the near end under test switched on, and the far end switched on as well.
func cable(t *testing.T, near, far string) {
	t.Helper()
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: near}, PeerName: far}))
	up(t, near)
	up(t, far)
}

func linkNamed(t *testing.T, name string) netlink.Link {
	t.Helper()
	l, err := netlink.LinkByName(name)
	must(t, err)
	return l
}

func up(t *testing.T, name string) {
	t.Helper()
	must(t, netlink.LinkSetUp(linkNamed(t, name)))
}

func down(t *testing.T, name string) {
	t.Helper()
	must(t, netlink.LinkSetDown(linkNamed(t, name)))
}

// addressAs parses "192.0.2.7/24"; IPv6 ones skip duplicate address detection.
func addressAs(t *testing.T, cidr string) *netlink.Addr {
	t.Helper()
	a, err := netlink.ParseAddr(cidr)
	must(t, err)
	if a.IP.To4() == nil {
		a.Flags = syscall.IFA_F_NODAD
	}
	return a
}

func addAddress(t *testing.T, name, cidr string) {
	t.Helper()
	must(t, netlink.AddrAdd(linkNamed(t, name), addressAs(t, cidr)))
}

func removeAddress(t *testing.T, name, cidr string) {
	t.Helper()
	must(t, netlink.AddrDel(linkNamed(t, name), addressAs(t, cidr)))
}

// defaultVia adds a default route by a link to a table; 0 is the main one.
func defaultVia(t *testing.T, name, gateway string, table int) {
	t.Helper()
	must(t, netlink.RouteAdd(&netlink.Route{LinkIndex: linkNamed(t, name).Attrs().Index, Gw: net.ParseIP(gateway), Table: table}))
}

// ruleFrom makes packets from a source address look up a table.
func ruleFrom(t *testing.T, source string, table int) {
	t.Helper()
	r := netlink.NewRule()
	_, r.Src, _ = net.ParseCIDR(source)
	r.Table, r.Priority, r.Family = table, 1000, netlink.FAMILY_V4
	must(t, netlink.RuleAdd(r))
}

// live is a running Set.
type live struct {
	*Set
	changed chan struct{}
}

func startLive(t *testing.T, cfg ...Config) *live {
	t.Helper()
	l := &live{changed: make(chan struct{}, 1)}
	l.Set = NewSet(cfg, func(u Uplink) { t.Logf("%s", row(u)) })
	l.Watch(func() {
		select {
		case l.changed <- struct{}{}:
		default:
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	var runs sync.WaitGroup
	runs.Go(func() {
		if err := l.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		runs.Wait()
	})
	return l
}

// noticed is the time within which a change must show: "noticed within 1 s".
const noticed = time.Second

// until waits for a condition to come true by the Set's own announcements.
func (l *live) until(t *testing.T, why string, holds func() bool) {
	t.Helper()
	start := time.Now()
	limit := time.After(noticed)
	for !holds() {
		select {
		case <-l.changed:
		case <-limit:
			var rows []string
			for _, u := range l.Uplinks() {
				rows = append(rows, row(u))
			}
			t.Fatalf("%s: not noticed within %v; there are:\n%s", why, noticed, strings.Join(rows, "\n"))
		}
	}
	t.Logf("# %s: noticed after %v", why, time.Since(start).Round(10*time.Microsecond))
}

// want waits until the uplinks are these, given as "name id addresses state: reason" with no index.
func (l *live) want(t *testing.T, why string, rows ...string) {
	t.Helper()
	l.until(t, why, func() bool {
		us := l.Uplinks()
		if len(us) != len(rows) {
			return false
		}
		for i, u := range us {
			u.Index = int(u.ID)
			if row(u) != rows[i] {
				return false
			}
		}
		return true
	})
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }
