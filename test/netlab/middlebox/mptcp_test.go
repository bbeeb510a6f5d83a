//go:build linux

package middlebox_test

import (
	"io"
	"net"
	"testing"

	"hawser/test/netlab"
	"hawser/test/netlab/kmptcp"
	"hawser/test/netlab/middlebox"
)

// multipath asks the kernel whether a connection uses MPTCP and has not fallen back.
func multipath(t *testing.T, c *net.TCPConn) bool {
	t.Helper()
	yes, err := c.MultipathTCP()
	must(t, err)
	return yes
}

func TestKernelMPTCPFallsBackWhereOptionsAreStripped(t *testing.T) {
	needMPTCP(t)
	for _, tt := range []struct {
		name                  string
		there, here           middlebox.Segments
		client                bool  // still speaks MPTCP in the end
		synReceived, fallback int64 // MP_CAPABLE SYNs that the server got; fallbacks that the client noted
	}{
		{"nowhere", 0, 0, true, 1, 0},
		{"on SYN", middlebox.OnSYN, 0, false, 0, 1},
		{"on SYN/ACK", 0, middlebox.OnSYNACK, false, 1, 1},
		{"on data both ways", middlebox.OnData, middlebox.OnData, false, 1, 0},
		{"everywhere", middlebox.Everywhere, middlebox.Everywhere, false, 0, 1},
	} {
		for _, blank := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				r := newRig(t, blank)
				there := &middlebox.Strip{On: tt.there, Blank: blank}
				here := &middlebox.Strip{On: tt.here, Blank: blank}
				r.install(same{there, here})
				client, server := r.connect(true)
				whole := text(200_000)
				r.exchange(client, server, whole)
				if got := multipath(t, client); got != tt.client {
					t.Errorf("the client speaks MPTCP: %v, want %v", got, tt.client)
				}
				if got := multipath(t, server); got != tt.client {
					t.Errorf("the server speaks MPTCP: %v, want %v", got, tt.client)
				}
				if got := counter(t, r.server, "MPTcpExt MPCapableSYNRX"); got != tt.synReceived {
					t.Errorf("the server got %d MP_CAPABLE SYNs, want %d", got, tt.synReceived)
				}
				if got := counter(t, r.client, "MPTcpExt MPCapableFallbackSYNACK"); got != tt.fallback {
					t.Errorf("the client fell back at %d SYN/ACKs, want %d", got, tt.fallback)
				}
			})
		}
	}
}

func TestKernelMPTCPJoinsUnlessJoinsAreStripped(t *testing.T) {
	needMPTCP(t)
	for _, on := range []middlebox.Segments{0, middlebox.OnJoin} {
		lab := netlab.New(t)
		m := lab.Multihome(lab.Host("client"), lab.Host("server"), []netlab.LinkConfig{{Emulate: true}, {Emulate: true}})
		strip := &middlebox.Strip{On: on}
		m.Uplinks[1].SetStages(netlab.AToB, strip)
		must(t, kmptcp.Multihome(m))
		r := &rig{t: t, client: m.Client, server: m.Server, addr: m.Addr}
		client, server := r.connect(true)
		must(t, r.ping(client, server)) // joins come after the first data
		if on == 0 {
			await(t, "the second subflow joins", func() bool { return counter(t, m.Server, "MPTcpExt MPJoinAckRx") == 1 })
			continue
		}
		await(t, "a join is stripped", func() bool { return strip.Acted() > 0 })
		must(t, r.ping(client, server))
		if n := counter(t, m.Server, "MPTcpExt MPJoinSynRx"); n != 0 {
			t.Errorf("the server got %d joins", n)
		}
		if !multipath(t, client) {
			t.Error("a stripped join cost the whole connection its MPTCP")
		}
	}
}

func TestKernelMPTCPNoticesRewrittenPayload(t *testing.T) {
	needMPTCP(t)
	r := newRig(t, false)
	for _, h := range []*netlab.Host{r.client, r.server} {
		h.Sysctl("net.mptcp.checksum_enabled", "1")
	}
	r.install(middlebox.RewritePayload("cat", "dog"))
	client, server := r.connect(true)
	must(t, r.ping(client, server))
	if n := counter(t, r.server, "MPTcpExt DataCsumErr"); n != 0 {
		t.Fatalf("%d wrong checksums before anything was rewritten", n)
	}
	go func() { _, _ = client.Write([]byte("the cat is here")) }()
	_, _ = io.ReadFull(server, make([]byte, 15)) // whether it arrives is the kernel's affair
	await(t, "the server's kernel sees a wrong checksum", func() bool {
		return counter(t, r.server, "MPTcpExt DataCsumErr") > 0
	})
}
