package packet

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hawser/test/netlab"
)

func TestWhatAShaperAcceptsArrives(t *testing.T) {
	for _, mode := range []Mode{ModeGSO, ModeFrames, ModeRawIP} {
		t.Run(mode.String(), func(t *testing.T) {
			families(t, func(t *testing.T, v6 bool) { throughShaper(t, mode, v6) })
		})
	}
}

// throughShaper sends several times what a shaper's bucket and queue hold, as fast as it takes it.
func throughShaper(t *testing.T, mode Mode, v6 bool) {
	a, b, link := pair(t, netlab.LinkConfig{})
	meet(a, b, v6)
	out, err := a.host.Command(context.Background(), tool(t, "tc"), "qdisc", "add", "dev", link.Interface(netlab.SideA), "root", "tbf",
		"rate", "40mbit", "burst", "130k", "limit", "300k").CombinedOutput()
	if err != nil && strings.Contains(string(out), "kind is unknown") {
		t.Skip("missing kernel module: sch_tbf")
	} else if err != nil {
		t.Fatalf("tbf: %v: %s", err, out)
	}
	a.force(mode)
	const n = 16 * MaxPayload
	all := data(n)
	var ps []Packet
	for at := 0; at < n; at += MaxPayload {
		ps = append(ps, a.packet(b, v6, uint32(at), all[at:at+MaxPayload], 1400))
	}
	a.send(ps...)
	b.want(a, 0, n)
	if st := a.interfaceStatus(); st.Congested == 0 || st.Mode != mode || st.SendErrors > 0 {
		t.Errorf("%+v, want congestion and nothing else", st)
	}
}

func TestAnotherAddressOfTheGatewayIsFollowed(t *testing.T) {
	a, b, link := pair(t, netlab.LinkConfig{})
	meet(a, b, false)
	transfer(a, b, false, 1400)
	const changed = "02:00:00:00:be:ef"
	ip := tool(t, "ip")
	run(t, b.host, ip, "link", "set", link.Interface(netlab.SideB), "address", changed)
	run(t, a.host, ip, "neigh", "replace", b.v4.String(), "lladdr", changed, "dev", link.Interface(netlab.SideA), "nud", "reachable")
	mac, err := net.ParseMAC(changed)
	if err != nil {
		t.Fatal(err)
	}
	for range 2000 { // each round trip gives the announcement time
		p := a.packet(b, false, 1, data(10), 0)
		p.Control = true
		a.send(p)
		b.want(a, 1, 10)
		h := a.sock.hops.find(time.Now(), routeKey{a.sock.index, a.v4, b.v4}, false, false)
		if h.direct && h.mac == hardwareAddr(mac) {
			break
		}
	}
	before := a.interfaceStatus()
	transfer(a, b, false, 1400) // b takes only what is sent to its own address
	if st := a.interfaceStatus(); st.SentGSO == before.SentGSO {
		t.Errorf("before %+v, after %+v: nothing went past the kernel", before, st)
	}
	t.Log("# a deleted entry sends everything through the kernel, which resolves it again")
	run(t, a.host, ip, "neigh", "del", b.v4.String(), "dev", link.Interface(netlab.SideA))
	meet(a, b, false)
	transfer(a, b, false, 1400)
}

func TestARoutersTooBigIsHandedUpWithTheSegmentsNumbers(t *testing.T) {
	families(t, func(t *testing.T, v6 bool) {
		lab := netlab.New(t)
		ha, r, hb := lab.Host("a"), lab.Router("r"), lab.Host("b")
		near := lab.Link(ha, r, netlab.LinkConfig{})
		far := lab.Link(r, hb, netlab.LinkConfig{MTU: 1300})
		ha.Route(netlab.Route{Via: near.Addr(netlab.SideB).String(), Dev: near.Interface(netlab.SideA)})
		ha.Route(netlab.Route{Via: near.Addr6(netlab.SideB).String(), Dev: near.Interface(netlab.SideA)})
		a := stationOn(t, ha, near.Interface(netlab.SideA), clientPort, near.Addr(netlab.SideA), near.Addr6(netlab.SideA))
		b := &station{port: serverPort, v4: far.Addr(netlab.SideB), v6: far.Addr6(netlab.SideB)}
		want, router := b.v4, near.Addr(netlab.SideB)
		if v6 {
			want, router = b.v6, near.Addr6(netlab.SideB)
		}
		a.send(a.packet(b, v6, 4711, data(1380), 0))
		p := a.next()
		if p.Report == nil {
			t.Fatalf("got %+v", p)
		}
		got := *p.Report
		if got != (Report{Kind: ReportTooBig, From: router, Code: got.Code, MTU: 1300, LocalPort: clientPort, RemotePort: serverPort, Seq: 4711}) ||
			p.Remote != want || p.Interface != a.sock.index {
			t.Errorf("%v about %v by interface %d", got, p.Remote, p.Interface)
		}
		t.Log("# and what nobody can deliver")
		run(t, r, tool(t, "ip"), "route", "add", "prohibit", "198.51.100.0/24")
		if !v6 {
			b.v4 = netip.MustParseAddr("198.51.100.7")
			a.send(a.packet(b, false, 5, data(10), 0))
			if p := a.next(); p.Report == nil || p.Report.Kind != ReportProhibited || p.Report.Seq != 5 {
				t.Errorf("got %+v", p)
			}
		}
	})
}

// statefulFirewall lets answers in and refuses everything else with a reset.
const statefulFirewall = `table inet f {
	chain in {
		type filter hook input priority 0; policy accept;
		iif lo accept
		ct state established,related accept
		meta l4proto tcp reject with tcp reset
	}
}`

func TestDegradingShowsAStatefulFirewallWhatItHasToSee(t *testing.T) {
	nft := tool(t, "nft")
	for _, degraded := range []bool{false, true} {
		t.Run(map[bool]string{false: "by packet socket", true: "degraded"}[degraded], func(t *testing.T) {
			a, b, _ := pair(t, netlab.LinkConfig{})
			meet(a, b, false)
			run(t, a.host, nft, statefulFirewall)
			if degraded {
				a.sock.Degrade(a.sock.Index(), "a stateful firewall")
			}
			const fin, syn, rst, ack = 0x01, 0x02, 0x04, 0x10
			a.port = clientPort
			segment := func(from, to *station, seq, acked uint32, flags byte, n int, control bool) Packet {
				p := from.packet(to, false, seq, data(n), 1400)
				p.Header[flagsOffset], p.Control = flags, control
				binary.BigEndian.PutUint32(p.Header[8:], acked)
				binary.BigEndian.PutUint16(p.Header[14:], 60000)
				return p
			}
			expect := func(s *station, flags byte) {
				t.Helper()
				p := s.next()
				if p.Header[flagsOffset] != flags {
					t.Fatalf("%s got flags %#x with %d bytes, want %#x", s.host.Name(), p.Header[flagsOffset], len(p.Payload), flags)
				}
				p.Release()
			}
			var verdict Suspicion
			a.send(segment(a, b, 100, 0, syn, 0, true))
			expect(b, syn)
			b.send(segment(b, a, 500, 101, syn|ack, 0, true))
			expect(a, syn|ack)
			a.send(segment(a, b, 101, 501, ack, 0, true))
			expect(b, ack)
			a.send(segment(a, b, 101, 501, ack, 2800, false))
			verdict.Sent(time.Now())
			for got := 0; got < 2800; {
				p := b.next()
				got += len(p.Payload)
				p.Release()
			}
			b.send(segment(b, a, 501, 2901, ack, 0, true))
			expect(a, ack)
			st := a.interfaceStatus()
			if degraded {
				a.send(segment(a, b, 2901, 501, ack|fin, 0, false))
				expect(b, ack|fin)
				if st.SentRawIP == 0 || st.Mode != ModeRawIP || st.Reason != "a stateful firewall" {
					t.Errorf("status: %+v", st)
				}
				return
			}
			p := b.next()
			if p.Header[flagsOffset]&rst == 0 || !verdict.Cut(time.Now()) {
				t.Errorf("got flags %#x; the firewall should have reset the connection, and the verdict should fall", p.Header[flagsOffset])
			}
		})
	}
}
