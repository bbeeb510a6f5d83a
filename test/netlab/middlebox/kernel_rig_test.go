//go:build linux

package middlebox_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"hawser/test/netlab"
	"hawser/test/netlab/middlebox"
)

// A rig is a client and a server of the kernel's, joined by the link of the boxes and a second one behind it:
//
//	client ── near (boxes) ── router ── far ── server
type rig struct {
	t              *testing.T
	client, server *netlab.Host
	near, far      *netlab.Link
	addr           netip.Addr // of the server
}

func newRig(t *testing.T, v6 bool) *rig {
	t.Helper()
	lab := netlab.New(t)
	r := &rig{t: t, client: lab.Host("client"), server: lab.Host("server")}
	router := lab.Router("router")
	r.near = lab.Link(r.client, router, netlab.LinkConfig{Emulate: true, Uplink: true})
	r.far = lab.Link(r.server, router, netlab.LinkConfig{Emulate: true, Uplink: true})
	r.addr = r.far.Addr(netlab.SideA)
	if v6 {
		r.addr = r.far.Addr6(netlab.SideA)
	}
	return r
}

// install puts boxes on the near link; the client's side is ahead.
func (r *rig) install(boxes ...middlebox.Box) {
	ahead, back := middlebox.Chain(boxes...)
	r.near.SetStages(netlab.AToB, ahead...)
	r.near.SetStages(netlab.BToA, back...)
}

// same is a box of two stages that know nothing of each other.
type same struct{ there, here netlab.Stage }

func (s same) Ahead() netlab.Stage { return s.there }
func (s same) Back() netlab.Stage  { return s.here }

// connect opens a connection and gives both ends.
func (r *rig) connect(mptcp bool) (client, server *net.TCPConn) {
	r.t.Helper()
	var lc net.ListenConfig
	lc.SetMultipathTCP(mptcp)
	var d net.Dialer
	d.SetMultipathTCP(mptcp)
	address := netip.AddrPortFrom(r.addr, 8000).String()
	var l net.Listener
	must(r.t, r.server.Do(func() (err error) {
		l, err = lc.Listen(context.Background(), "tcp", address)
		return err
	}))
	r.t.Cleanup(func() { _ = l.Close() }) // late: the kernel takes joins for a connection only while somebody listens
	var conn net.Conn
	must(r.t, r.client.Do(func() (err error) {
		conn, err = d.Dial("tcp", address)
		return err
	}))
	accepted, err := l.Accept()
	must(r.t, err)
	for _, c := range []net.Conn{conn, accepted} {
		must(r.t, c.SetDeadline(time.Now().Add(limit)))
		r.t.Cleanup(func() { _ = c.Close() })
	}
	return conn.(*net.TCPConn), accepted.(*net.TCPConn)
}

// limit is how long anything may take on any machine.
const limit = 20 * time.Second

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// text is n bytes with a word in it now and then.
func text(n int) []byte {
	var b []byte
	for i := 0; len(b) < n; i++ {
		b = strconv.AppendInt(append(b, "the cat is number "...), int64(i), 10)
		b = append(b, '\n')
	}
	return b[:n]
}

// exchange sends the same bytes each way at once and wants them to arrive. It does not end the streams: the kernel's
// MPTCP may wait for ever for a DATA_FIN that a middlebox has removed.
func (r *rig) exchange(client, server *net.TCPConn, sent []byte) {
	r.t.Helper()
	for _, c := range []*net.TCPConn{client, server} {
		go func() {
			_, _ = c.Write(sent)
		}()
	}
	for name, c := range map[string]*net.TCPConn{"server": server, "client": client} {
		got := make([]byte, len(sent))
		n, err := io.ReadFull(c, got)
		if err != nil || !bytes.Equal(got, sent) {
			r.t.Fatalf("the %s got %d bytes of %d, whole: %v; %v", name, n, len(sent), bytes.Equal(got, sent), err)
		}
	}
}

// ping sends a word to the server and back.
func (r *rig) ping(client, server *net.TCPConn) error {
	word := []byte("ping")
	for _, c := range [][2]*net.TCPConn{{client, server}, {server, client}} {
		if _, err := c[0].Write(word); err != nil {
			return err
		}
		if _, err := io.ReadFull(c[1], make([]byte, len(word))); err != nil {
			return err
		}
	}
	return nil
}

// counter reads a counter of a host's kernel, as "MPTcpExt MPCapableSYNRX".
func counter(t *testing.T, h *netlab.Host, name string) int64 {
	t.Helper()
	group, key, _ := strings.Cut(name, " ")
	var b []byte
	must(t, h.Do(func() (err error) {
		b, err = os.ReadFile("/proc/thread-self/net/netstat")
		return err
	}))
	var keys []string
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if fields[0] != group+":" {
			continue
		}
		if keys == nil {
			keys = fields
			continue
		}
		for n, k := range keys {
			if k == key {
				v, err := strconv.ParseInt(fields[n], 10, 64)
				must(t, err)
				return v
			}
		}
	}
	t.Skipf("this kernel has no counter %s", name)
	return 0
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for start := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > limit {
			t.Fatalf("%s: not after %v", what, limit)
		}
	}
}

// needMPTCP skips where the kernel has none.
func needMPTCP(t *testing.T) {
	t.Helper()
	netlab.NeedRoot(t)
	if _, err := os.Stat("/proc/sys/net/mptcp/enabled"); errors.Is(err, os.ErrNotExist) {
		t.Skip("the kernel has no MPTCP: CONFIG_MPTCP is off")
	}
}
