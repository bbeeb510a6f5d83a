package plain_test

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"hawser/transport"
	"hawser/transport/plain"
	"hawser/transport/wire"
)

// TestDialErrors: each says what is wrong with the path.
func TestDialErrors(t *testing.T) {
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := closed.Addr().(*net.TCPAddr).AddrPort()
	_ = closed.Close()
	for _, c := range []struct {
		name string
		path transport.Path
		want string
	}{
		{"refused", transport.Path{Remote: port}, "is the server running"},
		{"no such interface", transport.Path{Interface: "nonesuch0", Remote: port}, `interface "nonesuch0" does not exist`},
		{"foreign source", transport.Path{Local: netip.MustParseAddr("203.0.113.77"), Remote: port}, "203.0.113.77 is not assigned to this machine"},
		{"families", transport.Path{Local: netip.MustParseAddr("::1"), Remote: port}, "one is IPv4, the other IPv6"},
		{"no remote", transport.Path{}, "no address of the peer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			e := r.end("client")
			c.path.Uplink = "dsl"
			e.sub = plain.NewCarrier("").Open(c.path, r.post(e))
			r.until("an error", 5*time.Second, func() bool { return e.has(transport.EventClosed) })
			if err := e.find(transport.EventClosed).Err; !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v; want %q", err, c.want)
			}
		})
	}
}

// TestBoundToTheLoopbackDevice dials through a device and by source address at once.
func TestBoundToTheLoopbackDevice(t *testing.T) {
	name := map[string]string{"linux": "lo", "darwin": "lo0", "windows": "Loopback Pseudo-Interface 1"}[runtime.GOOS]
	for _, congestion := range []string{"", "reno", "nonesuch"} {
		r := newRig(t)
		o := loopback(t, plain.Config{Congestion: congestion})
		o.path.Interface = name
		o.carrier = plain.NewCarrier(congestion)
		client, server := r.pair(o)
		cs, ss := client.sub.State(), server.sub.State()
		if cs.Local != ss.Remote || cs.Remote != ss.Local || cs.Local.Addr() != o.path.Local {
			t.Errorf("addresses %v %v, %v %v", cs.Local, cs.Remote, ss.Local, ss.Remote)
		}
		if runtime.GOOS == "linux" {
			ok := cs.Congestion == congestion || congestion != "reno" && cs.Congestion != ""
			if !ok || cs.Congestion != ss.Congestion {
				t.Errorf("asked for %q, runs %q and %q", congestion, cs.Congestion, ss.Congestion)
			}
		}
		if err := client.sub.(*plain.Subflow).SetPacing(1 << 20); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			t.Error(err)
		}
		r.closeAll()
	}
}

func TestListenErrors(t *testing.T) {
	a, err := plain.Listen(plain.Config{Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	if _, err = plain.Listen(plain.Config{Address: a.Addr().String()}); err == nil || !strings.Contains(err.Error(), a.Addr().String()) {
		t.Errorf("port in use: %v", err)
	}
	if runtime.GOOS != "windows" && !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("port in use: %v", err)
	}
}

// TestHalfOpenFlood: many real connections that say nothing cost little, and a client gets in among them.
func TestHalfOpenFlood(t *testing.T) {
	const flood = 1500
	o := loopback(t, plain.Config{Strangers: 300, PerSource: 100})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	conns := make([]net.Conn, 0, flood)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range flood {
		c, err := net.Dial("tcp4", o.path.Remote.String())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	r := newRig(t)
	r.pair(o)
	runtime.GC()
	runtime.ReadMemStats(&after)
	st := o.acceptor.(*plain.Listener).Stats()
	if st.Open > 100 || st.EvictedSource < flood-200 || st.Authenticated != 1 {
		t.Errorf("%+v", st)
	}
	// The flood's own ends are in this process as well: about 1 kB each.
	if grown := int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse); grown > 8<<20 {
		t.Errorf("%d bytes more in use", grown)
	}
	r.closeAll()
}

// TestAbortIsHeardUnderLoad: the reason arrives although bytes of the peer were still on their way to whoever aborts.
func TestAbortIsHeardUnderLoad(t *testing.T) {
	r := newRig(t)
	client, server := r.pair(loopback(t, plain.Config{}))
	t.Cleanup(r.closeAll)
	server.onTurn = sender(noise(64 << 20))
	r.until("some bytes", 10*time.Second, func() bool { return len(client.got) > 1<<20 })
	client.sub.Abort(wire.ResetOutstanding)
	r.until("the reason", 10*time.Second, func() bool { return server.has(transport.EventFin) || server.has(transport.EventClosed) })
	heard := server.options()
	if last := heard[len(heard)-1]; last != wire.Option(wire.MPTCPRst{Reason: wire.ResetOutstanding}) {
		t.Fatalf("heard %v, %+v", heard, server.find(transport.EventClosed))
	}
}
