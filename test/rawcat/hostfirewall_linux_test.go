package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hawser/test/netlab"
	"hawser/transport/packet"
	"hawser/transport/rawtcp"
	"hawser/transport/tcp"
)

// meeting is our TCP on one host, in this process, and the kernel's on the other.
type meeting struct {
	t            *testing.T
	ours, kernel *netlab.Host
	s            *stack
	local        netip.Addr     // of ours
	to           netip.AddrPort // where the server listens
	ourListener  *rawtcp.Listener
	listener     net.Listener
}

// meet makes a host with our TCP, as server or as client, and a host with the kernel's.
func meet(t *testing.T, serve, v6 bool) (*meeting, *netlab.Link) {
	t.Helper()
	netlab.NeedNFTables(t)
	lab := netlab.New(t)
	m := &meeting{t: t, ours: lab.Host("ours"), kernel: lab.Host("kernel")}
	link := lab.Link(m.ours, m.kernel, netlab.LinkConfig{Emulate: true})
	m.local = address(link, netlab.SideA, v6)
	port, iface, host := packet.PortConfig{Count: 4}, link.Interface(netlab.SideA), address(link, netlab.SideB, v6)
	if serve {
		port, iface, host = packet.PortConfig{Port: listenPort}, "", m.local
	}
	m.to = netip.AddrPortFrom(host, listenPort)
	o := options{congestion: "cubic", gso: true}
	err := m.ours.Do(func() (err error) {
		m.s, err = o.open(port, iface)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.s.close)
	if serve {
		m.ourListener, err = m.s.endpoint.Listen(m.to, tcp.ListenerConfig{})
	} else {
		m.listener, err = m.kernel.Listen("tcp", m.to.String())
	}
	if err != nil {
		t.Fatal(err)
	}
	if m.listener != nil {
		t.Cleanup(func() { _ = m.listener.Close() })
	}
	return m, link
}

// connect opens a connection and gives both ends.
func (m *meeting) connect() (*rawtcp.Conn, net.Conn) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	if m.ourListener != nil {
		kernel, err := m.kernel.Dial(ctx, "tcp", m.to.String())
		if err != nil {
			m.t.Fatal(err)
		}
		c, err := m.ourListener.AcceptConn()
		if err != nil {
			m.t.Fatal(err)
		}
		return c, kernel
	}
	c, err := m.s.endpoint.Dial(ctx, m.local, m.to)
	if err != nil {
		m.t.Fatal(err)
	}
	kernel, err := m.listener.Accept()
	if err != nil {
		m.t.Fatal(err)
	}
	return c, kernel
}

// transfer has a conversation in which each side sends a stream, which may be empty. last: ours ends after theirs.
func (m *meeting) transfer(c *rawtcp.Conn, kernel net.Conn, ours, theirs stream, last bool) error {
	_ = c.SetDeadline(time.Now().Add(patience))
	got := newVerifier(theirs)
	ended, read := make(chan error, 3), make(chan struct{})
	go func() { ended <- kernelTalk(kernel, theirs, ours, patience) }()
	go func() {
		_, err := io.Copy(c, ours.source())
		if last {
			<-read
		}
		ended <- errors.Join(err, c.CloseWrite())
	}()
	go func() {
		_, err := io.Copy(got, c)
		close(read)
		ended <- err
	}()
	err := errors.Join(<-ended, <-ended, <-ended)
	if err == nil {
		err = got.err()
	}
	return err
}

// A filter of the host that rejects what it cannot place cuts connections of a side that only receives as well: it has not
// seen the windows that this side has offered, and resets the sender as soon as that uses them. Nothing but the RST that
// leaves this host tells, and a side that has ended its own stream would wait for ever. A server finds out by the first
// connection, too: strangers cannot feign it. A connection outlives it when the RST met a peer that has received more since,
// and takes none but the number it expects (RFC 5961 §3.2).
func TestAnyoneFindsOutTheFirewallOfHisHost(t *testing.T) {
	const plenty = 16 * megabyte // more than the window that the handshake shows
	for _, w := range []struct {
		name         string
		ours, theirs stream
		last         bool // our stream ends after theirs
	}{
		{"receiver", stream{}, stream{1, plenty}, true},
		{"half-closed receiver", stream{}, stream{1, plenty}, false},
		{"sender", stream{1, plenty}, stream{}, false},
	} {
		t.Run(w.name, func(t *testing.T) {
			everyRole(t, func(t *testing.T, serve, v6 bool) {
				m, link := meet(t, serve, v6)
				c, kernel := m.connect()
				m.passTheKernel(c, kernel, link) // else the filter may see all of a connection on a busy host
				c.Abort()
				<-c.Done()
				_ = kernel.Close()
				m.ours.Firewall(netlab.Firewall{In: []uint16{listenPort}, Reject: true})
				c, kernel = m.connect()
				first := m.transfer(c, kernel, w.ours, w.theirs, w.last)
				if err := c.Err(); first != nil && !errors.Is(err, rawtcp.ErrCut) && !errors.Is(err, tcp.ErrReset) {
					t.Fatalf("the cut has not ended the connection: %v in %v, after %v", err, c.Stats().State, first)
				}
				if st := m.status(link); st.Mode != packet.ModeRawIP || !strings.Contains(st.Reason, "firewall") {
					t.Fatalf("after %v: %+v", first, st)
				}
				c.Abort()
				<-c.Done() // the peer has heard of it
				c, kernel = m.connect()
				if err := m.transfer(c, kernel, w.ours, w.theirs, w.last); err != nil {
					t.Errorf("by raw IP: %v", err)
				}
			})
		})
	}
}

// passTheKernel sends until packets go past the kernel's output: the first do not, while the next hop is not known. kernel
// takes them.
func (m *meeting) passTheKernel(c *rawtcp.Conn, kernel net.Conn, link *netlab.Link) {
	m.t.Helper()
	const piece = 10_000
	for {
		if st := m.status(link); st.SentGSO+st.SentFrames > 0 {
			return
		}
		if _, err := io.Copy(c, stream{3, piece}.source()); err != nil {
			m.t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, kernel, piece); err != nil {
			m.t.Fatal(err)
		}
	}
}

// status is that of our interface.
func (m *meeting) status(link *netlab.Link) (st packet.InterfaceStatus) {
	for _, i := range m.s.socket.Status().Interfaces {
		if i.Name == link.Interface(netlab.SideA) {
			st = i
		}
	}
	return st
}

// A filter of the host that lets nothing out that it cannot place would end a connection at the first outage, since what is
// repeated after a time-out goes through it. It goes around then. One that answers such a packet with a RST in the peer's
// name, by loopback, is not believed.
func TestAnOutageBehindAFirewallOfTheHost(t *testing.T) {
	for _, c := range []struct {
		name, verdict string
		forget        bool // the outage is so long that the kernel has no address of the next hop any more
	}{
		{"drop", "drop", false},
		{"long", "drop", true},
		{"reset", "reject with tcp reset", false},
		{"prohibited", "reject with icmpx admin-prohibited", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			verdict, forget := c.verdict, c.forget
			everyRole(t, func(t *testing.T, serve, v6 bool) {
				t.Parallel()
				m, link := meet(t, serve, v6)
				cmd := m.ours.Command(t.Context(), "nft", "-f", "-")
				cmd.Stdin = strings.NewReader("table inet out {\n\tchain output {\n\t\ttype filter hook output priority filter\n" +
					"\t\tmeta l4proto tcp ct state invalid counter " + verdict + "\n\t}\n}\n")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				c, kernel := m.connect()
				_ = c.SetDeadline(time.Now().Add(patience))
				_ = kernel.SetDeadline(time.Now().Add(patience))
				m.passTheKernel(c, kernel, link)
				const before, after = 16 * megabyte, 100_000 // before: more than any window that the filter has seen
				read, sent := make(chan error, 1), make(chan error, 2)
				go func() { // the kernel's end takes it all, and closes
					_, err := io.CopyN(io.Discard, kernel, before)
					read <- err
					_, err = io.CopyN(io.Discard, kernel, after)
					sent <- errors.Join(err, kernel.Close())
				}()
				if _, err := io.Copy(c, stream{1, before}.source()); err != nil {
					t.Fatal(err)
				}
				if err := <-read; err != nil {
					t.Fatal(err)
				}
				link.BlackHole(netlab.Both, true)
				if forget {
					if out, err := m.ours.Command(t.Context(), "ip", "neigh", "flush", "dev", link.Interface(netlab.SideA)).CombinedOutput(); err != nil {
						t.Fatalf("%v: %s", err, out)
					}
				}
				go func() { // it waits for room when the last acknowledgements are lost
					_, err := io.Copy(c, stream{2, after}.source())
					sent <- err
				}()
				for c.Stats().Stats.Timeouts < 2 && c.Err() == nil {
					time.Sleep(time.Millisecond)
				}
				link.BlackHole(netlab.Both, false)
				if err := errors.Join(<-sent, <-sent); err != nil {
					t.Errorf("%v; our end: %v after %+v", err, c.Err(), c.Stats().Stats)
				}
				if out, err := m.ours.Command(t.Context(), "nft", "list", "chain", "inet", "out", "output").Output(); err != nil || strings.Contains(string(out), "counter packets 0 ") {
					t.Errorf("%v: the filter has refused nothing: the test shows nothing: %s", err, out)
				}
			})
		})
	}
}
