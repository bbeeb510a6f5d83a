package hostile

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"hawser/proxy/admin"
	"hawser/test/program"
	"hawser/transport/wire"
)

const (
	floodSize = 10_000 // connections, all held open
	dialers   = 32
	// memoryBound is the most that the server may hold at any moment, bytes of resident memory.
	memoryBound = 150 << 20
	// openBound is the most descriptors that the server may have: 1,024 strangers, and what it needs itself.
	openBound = 1024 + 100
)

// flood is strangers who come as fast as they can, go some way into the handshake and stay.
type flood struct {
	name   string
	source func(i int) netip.Addr
	stage  stage
}

// scattered is an address of its own for every stranger.
func scattered(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(10 + i>>16), byte(i >> 8), byte(1 + i%250)})
}

func from(addr string) func(int) netip.Addr {
	return func(int) netip.Addr { return netip.MustParseAddr(addr) }
}

var floods = []flood{
	{"silent, of many sources", scattered, connected},
	{"silent, of one source", from("127.9.9.9"), connected},
	{"silent, of the client's own source", from("127.0.0.1"), connected},
	{"half the handshake, of many sources", scattered, greeted},
	{"half the handshake, of one source", from("127.9.9.9"), greeted},
	{"the handshake and no TLS, of many sources", scattered, established},
}

func TestTenThousandStrangers(t *testing.T) {
	w := newWorld(t, "HAWSER_LOG_LEVEL=info")
	running := w.transfer(t)
	calm := noteCalm(t, w.server)
	for _, f := range floods {
		t.Run(f.name, func(t *testing.T) {
			held := f.start(t, w.plain)
			held.await(t)
			t.Log("# while more and more come, an honest client gets in")
			honest := startIn(t, w.site, w.plain)
			honest.AwaitHealthy()
			exchange(t, honest.ProxyAddr(), w.echo)
			held.rest()
			t.Log("# while they are there, too")
			exchange(t, w.proxy, w.echo)
			late := startIn(t, w.site, w.plain)
			late.AwaitHealthy()
			exchange(t, late.ProxyAddr(), w.echo)
			running.moves(t)
			if n := w.server.Metric("process_open_fds"); n > openBound {
				t.Errorf("the server holds %.0f descriptors, at most %d are allowed", n, openBound)
			}
			held.close()
			honest.Stop() // in order: the sessions of a client that is killed outlive it for a minute
			late.Stop()
			now, peak := w.server.Memory()
			t.Logf("memory %d MB, at most %d MB", now>>20, peak>>20)
			if peak > memoryBound {
				t.Errorf("the server has held %d MB, at most %d are allowed", peak>>20, memoryBound>>20)
			}
		})
	}
	calm.want(t)
	if n := len(w.server.Log()); n > 64<<10 {
		t.Errorf("strangers have made the server log %d kB", n>>10)
	}
	running.finish(t)
	wantAlive(t, w)
}

// TestTenThousandSilentApplications is the same at the client's end.
func TestTenThousandSilentApplications(t *testing.T) {
	w := newWorld(t, "HAWSER_LOG_LEVEL=info")
	running := w.transfer(t)
	calm := noteCalm(t, w.client)
	held := flood{source: scattered, stage: connected}.start(t, w.proxy)
	held.await(t)
	exchange(t, w.proxy, w.echo)
	held.rest()
	exchange(t, w.proxy, w.echo)
	running.moves(t)
	if _, peak := w.client.Memory(); peak > memoryBound {
		t.Errorf("the client has held %d MB, at most %d are allowed", peak>>20, memoryBound>>20)
	}
	held.close()
	calm.want(t)
	running.finish(t)
	wantAlive(t, w)
}

// calm is what a program holds while nobody disturbs it.
type calm struct {
	program         *program.Process
	files, routines float64
	memory          int // bytes
}

func noteCalm(t *testing.T, p *program.Process) calm {
	t.Helper()
	_ = p.Status() // what that takes belongs to it
	memory, _ := p.Memory()
	return calm{p, p.Metric("process_open_fds"), p.Metric("go_goroutines"), memory}
}

// want wants the program to hold again what it held before.
func (c calm) want(t *testing.T) {
	t.Helper()
	var f, r float64
	program.Await(t, "what strangers held is free again", program.Patience, func() bool {
		f, r = c.program.Metric("process_open_fds"), c.program.Metric("go_goroutines")
		return f <= c.files+10 && r <= c.routines+50
	}, func() string {
		return fmt.Sprintf("%.0f descriptors (before: %.0f), %.0f goroutines (before: %.0f)", f, c.files, r, c.routines)
	})
	now := 0
	program.Await(t, "memory is given back", program.Patience, func() bool {
		now, _ = c.program.Memory()
		return now <= c.memory+48<<20
	}, func() string { return fmt.Sprintf("%d MB, before: %d MB", now>>20, c.memory>>20) })
}

// crowd is the strangers that are there: floodSize of them, and the newest in place of the oldest.
type crowd struct {
	made atomic.Int64
	stop atomic.Bool
	all  sync.WaitGroup

	mu    sync.Mutex
	conns [floodSize]*net.TCPConn
	err   error
}

// start lets the strangers come, one after the other until rest.
func (f flood) start(t *testing.T, server netip.AddrPort) *crowd {
	c := &crowd{}
	t.Cleanup(c.close)
	var next atomic.Int64
	for range dialers {
		c.all.Go(func() {
			for !c.stop.Load() {
				i := int(next.Add(1))
				c.put(i%floodSize, nil, nil) // the oldest goes first, for descriptors and ports
				conn, err := f.one(f.source(i), server)
				c.put(i%floodSize, conn, err)
			}
		})
	}
	return c
}

// await waits until floodSize have come.
func (c *crowd) await(t *testing.T) {
	t.Helper()
	program.Await(t, "the strangers have come", program.Patience, func() bool { return c.made.Load() >= floodSize }, func() string {
		c.mu.Lock()
		defer c.mu.Unlock()
		return fmt.Sprint(c.made.Load(), " of them; ", c.err)
	})
}

// rest lets no more come.
func (c *crowd) rest() {
	c.stop.Store(true)
	c.all.Wait()
}

// put holds a connection in place of the one that was there.
func (c *crowd) put(i int, conn *net.TCPConn, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.conns[i]; old != nil {
		_ = old.SetLinger(0) // the port is needed again
		_ = old.Close()
	}
	c.conns[i] = conn
	switch {
	case conn != nil, errors.Is(err, syscall.ECONNRESET): // thrown out before it knew that it was in
		c.made.Add(1)
	case err != nil:
		c.err = err
	}
}

// close ends them all at once.
func (c *crowd) close() {
	c.rest()
	for i := range c.conns {
		c.put(i, nil, nil)
	}
}

// one makes a stranger; that it is thrown out during its handshake is no error.
func (f flood) one(source netip.Addr, server netip.AddrPort) (*net.TCPConn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: source.AsSlice()}, Timeout: program.Patience}
	d.SetMultipathTCP(false)
	conn, err := d.Dial("tcp", server.String())
	if err != nil {
		return nil, err
	}
	tcp := conn.(*net.TCPConn)
	if f.stage > connected {
		_, _ = tcp.Write(append(goodPreface[:8:8], options(capableSYN)...))
	}
	if f.stage > greeted {
		f.finishHandshake(tcp)
	}
	return tcp, nil
}

// finishHandshake answers the server's key, if that comes.
func (f flood) finishHandshake(conn *net.TCPConn) {
	answer := make([]byte, len(goodPreface)+8+12) // preface, record with MP_CAPABLE
	for n := 0; n < len(answer); {
		m, err := conn.Read(answer[n:])
		if err != nil {
			return
		}
		n += m
	}
	list, _ := wire.ConsumeOptions(answer[16:], nil)
	if len(list) != 1 {
		return
	}
	if o, ok := list[0].(wire.MPCapable); ok {
		ack := wire.MPCapable{Stage: wire.StageACK, Version: 1, SHA256: true, SenderKey: 7, ReceiverKey: o.SenderKey}
		_, _ = conn.Write(options(ack))
	}
}

// TestJoinsOfTheAuthenticatedDoNotCount opens more subflows from one source than strangers may have there.
func TestJoinsOfTheAuthenticatedDoNotCount(t *testing.T) {
	const sessions, uplinks = 10, 20 // 200 subflows; 128 strangers are allowed per source
	w := newWorld(t)
	running := w.transfer(t)
	key := w.insider(t)
	for range sessions {
		if _, err := w.enter(t, key, uplinks); err != nil {
			t.Fatal(err)
		}
	}
	w.server.AwaitStatus(fmt.Sprintf("%d sessions of %d subflows", sessions, uplinks), whole(sessions, uplinks))
	crowd := flood{source: from("127.0.0.1"), stage: connected}.start(t, w.plain)
	crowd.await(t)
	w.server.AwaitStatus("all of them with strangers beside", whole(sessions, uplinks))
	exchange(t, w.proxy, w.echo)
	crowd.close()
	running.finish(t)
	wantAlive(t, w)
}

// whole wants sessions of so many subflows that work.
func whole(sessions, subflows int) func(admin.Status) bool {
	return func(s admin.Status) bool {
		n := 0
		for _, session := range s.Sessions {
			active := 0
			for _, sub := range session.Subflows {
				if sub.State == admin.SubflowActive {
					active++
				}
			}
			if active == subflows {
				n++
			}
		}
		return n == sessions
	}
}
