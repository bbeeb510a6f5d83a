package uplink

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/net/dns/dnsmessage"
)

// provider is the far end of some cables: a namespace with a nameserver on 203.0.113.53 that answers a question for an
// A record with 198.51.100.x, x being the third byte of the asker's address, so that the answer tells the uplink.
type provider struct {
	mu    sync.Mutex
	asked []string // addresses of the askers
}

func startProvider(t *testing.T, cables map[string]string) *provider {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := netns.Get()
	must(t, err)
	away, err := netns.New()
	must(t, err)
	at, err := netlink.NewHandle()
	must(t, err)
	must(t, netns.Set(home))
	for near, gateway := range cables {
		far := "far-" + near
		must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: near}, PeerName: far, PeerNamespace: netlink.NsFd(away)}))
		up(t, near)
		l, err := at.LinkByName(far)
		must(t, err)
		must(t, at.LinkSetUp(l))
		must(t, at.AddrAdd(l, addressAs(t, gateway+"/24")))
	}
	lo, err := at.LinkByName("lo")
	must(t, err)
	must(t, at.LinkSetUp(lo))
	must(t, at.AddrAdd(lo, addressAs(t, "203.0.113.53/32")))

	must(t, netns.Set(away))
	conn, err := net.ListenPacket("udp4", "203.0.113.53:53")
	must(t, netns.Set(home))
	must(t, err)
	p := &provider{}
	var server sync.WaitGroup
	server.Go(func() { p.serve(conn) })
	t.Cleanup(func() {
		_ = conn.Close()
		server.Wait()
	})
	return p
}

func (p *provider) serve(conn net.PacketConn) {
	b := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(b)
		if err != nil {
			return
		}
		asker := netip.MustParseAddrPort(from.String()).Addr()
		p.mu.Lock()
		p.asked = append(p.asked, asker.String())
		p.mu.Unlock()
		if reply, err := answerTo(b[:n], asker); err == nil {
			_, _ = conn.WriteTo(reply, from) // a lost answer fails the test by its missing path
		}
	}
}

func answerTo(question []byte, asker netip.Addr) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
		return nil, fmt.Errorf("question %x: %w", question, err)
	}
	q := m.Questions[0]
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true},
		Questions: m.Questions,
	}
	if q.Type == dnsmessage.TypeA {
		reply.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60},
			Body:   &dnsmessage.AResource{A: [4]byte{198, 51, 100, asker.As4()[2]}},
		}}
	}
	return reply.Pack()
}

func (p *provider) askers() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	as := slices.Clone(p.asked)
	slices.Sort(as)
	return slices.Compact(as)
}

// nameserver makes this process resolve names at a server. Its mount namespace is its own.
func nameserver(t *testing.T, ip string) {
	t.Helper()
	must(t, syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	file := filepath.Join(t.TempDir(), "resolv.conf")
	must(t, os.WriteFile(file, []byte("nameserver "+ip+"\n"), 0o600))
	must(t, syscall.Mount(file, "/etc/resolv.conf", "", syscall.MS_BIND, ""))
	t.Cleanup(func() { _ = syscall.Unmount("/etc/resolv.conf", syscall.MNT_DETACH) })
}

func TestNamesAreAskedFromTheDeviceOfEachUplink(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		nameserver(t, "203.0.113.53")
		p := startProvider(t, map[string]string{"dsl0": "10.0.1.1", "lte0": "10.0.2.1"})
		for name, cidr := range map[string]string{"dsl0": "10.0.1.7/24", "lte0": "10.0.2.7/24"} {
			addAddress(t, name, cidr)
		}
		t.Logf("# lte0 has a default route of a larger metric: only a bound socket takes it")
		defaultVia(t, "dsl0", "10.0.1.1", 0)
		must(t, netlink.RouteAdd(&netlink.Route{LinkIndex: linkNamed(t, "lte0").Attrs().Index, Gw: net.ParseIP("10.0.2.1"), Priority: 500}))

		l := startLive(t, Config{Name: "dsl", Interface: "dsl0"}, Config{Name: "lte", Interface: "lte0"})
		ts := NewTargets(l, TargetsConfig{Addresses: []string{"vps.example"}, PlainPort: 7444,
			Changed: func(u Uplink) { t.Logf("%s", row(u)) }})
		changed := make(chan struct{}, 1)
		ts.Watch(func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		var runs sync.WaitGroup
		runs.Go(func() { _ = ts.Run(ctx) })
		t.Cleanup(func() {
			cancel()
			runs.Wait()
		})
		waitPaths := func(why string, want ...string) {
			t.Helper()
			limit := time.After(10 * time.Second)
			for {
				var got []string
				for _, path := range ts.Paths() {
					got = append(got, path.String())
				}
				if slices.Equal(got, want) {
					return
				}
				select {
				case <-changed:
				case <-limit:
					t.Fatalf("%s: paths are\n%s", why, strings.Join(got, "\n"))
				}
			}
		}
		dsl, lte := "dsl 10.0.1.7→198.51.100.1:7444", "lte 10.0.2.7→198.51.100.2:7444"
		waitPaths("resolved", dsl, lte)
		if got := p.askers(); !slices.Equal(got, []string{"10.0.1.7", "10.0.2.7"}) {
			t.Errorf("asked from %v", got)
		}
		must(t, netlink.LinkSetDown(linkNamed(t, "dsl0")))
		waitPaths("dsl down", lte)
		t.Logf("# without a route to the server an uplink has no path, and says so")
		must(t, netlink.RouteDel(&netlink.Route{LinkIndex: linkNamed(t, "lte0").Attrs().Index, Gw: net.ParseIP("10.0.2.1"), Priority: 500}))
		waitPaths("no route")
		if u := ts.Uplinks()[1]; u.State != StateWaiting || !strings.Contains(u.Reason, "no route to 198.51.100.2 from 10.0.2.7") {
			t.Errorf("%s", row(u))
		}
	})
}

func TestBoundSocketLeavesByItsDevice(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		startProvider(t, map[string]string{"dsl0": "10.0.1.1", "lte0": "10.0.2.1"})
		addAddress(t, "dsl0", "10.0.1.7/24")
		addAddress(t, "lte0", "10.0.2.7/24")
		defaultVia(t, "dsl0", "10.0.1.1", 0)
		must(t, netlink.RouteAdd(&netlink.Route{LinkIndex: linkNamed(t, "lte0").Attrs().Index, Gw: net.ParseIP("10.0.2.1"), Priority: 500}))
		for _, c := range []struct {
			iface, local, want string
		}{
			{"", "", "10.0.1.7"},
			{"lte0", "", "10.0.2.7"},
			{"lte0", "10.0.2.7", "10.0.2.7"},
			{"", "10.0.2.7", "10.0.2.7"},
			{"lte0", "2001:db8::7", "10.0.2.7"}, // of the other family: ignored
		} {
			local, _ := netip.ParseAddr(c.local)
			d := net.Dialer{Control: Bind(c.iface, local)}
			conn, err := d.DialContext(t.Context(), "udp4", "203.0.113.53:53")
			if err != nil {
				t.Errorf("%+v: %v", c, err)
				continue
			}
			if got := netip.MustParseAddrPort(conn.LocalAddr().String()).Addr(); got.String() != c.want {
				t.Errorf("%+v: leaves from %s", c, got)
			}
			_ = conn.Close()
		}
		for _, c := range []struct{ iface, local, want string }{
			{"gone0", "", "bind to interface gone0"}, {"", "192.0.2.99", "bind to source address 192.0.2.99"},
		} {
			local, _ := netip.ParseAddr(c.local)
			d := net.Dialer{Control: Bind(c.iface, local)}
			if conn, err := d.DialContext(t.Context(), "udp4", "203.0.113.53:53"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v: connection %v, error %v", c, conn, err)
			}
		}
	})
}
