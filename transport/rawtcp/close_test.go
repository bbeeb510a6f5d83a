package rawtcp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hawser/transport/packet"
	"hawser/transport/packettest"
	"hawser/transport/tcp"
)

var aLink = packettest.LinkConfig{Rate: 50e6, Delay: 10 * time.Millisecond}

// wantError wants err to be an *net.OpError of an operation, for a reason.
func wantError(t *testing.T, why string, err error, op string, reason error) {
	t.Helper()
	var o *net.OpError
	if !errors.As(err, &o) || o.Op != op || !errors.Is(err, reason) {
		t.Errorf("%s: %v, want %s: %v", why, err, op, reason)
	}
}

func TestAHalfClosedConnectionStillCarriesTheOtherDirection(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		client, server := r.connect()
		if err := client.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if n, err := server.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("read %d, %v", n, err)
		}
		_, err := client.Write([]byte("late"))
		wantError(t, "after CloseWrite", err, "write", net.ErrClosed)
		for range 3 {
			time.Sleep(10 * time.Second)
			if _, err := server.Write([]byte("answer")); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 6)
			if _, err := io.ReadFull(client, b); err != nil || string(b) != "answer" {
				t.Fatalf("%q, %v", b, err)
			}
		}
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		<-server.Done()
		<-client.Done()
		if client.Err() != nil || server.Err() != nil {
			t.Error(client.Err(), server.Err())
		}
	})
}

func TestCloseDeliversWhatWasWritten(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		client, server := r.connect()
		want := pattern(1, megabyte)
		go func() {
			_, _ = client.Write(want)
			_ = client.Close()
		}()
		got, err := io.ReadAll(server)
		if err != nil || string(got) != string(want) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		wantError(t, "second Close", errors.Join(client.Close()), "close", net.ErrClosed)
		_ = server.Close()
		_, err = client.Read(make([]byte, 1))
		wantError(t, "after Close", err, "read", net.ErrClosed)
	})
}

func TestAResetEndsBothEnds(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		client, server := r.connect()
		go func() {
			time.Sleep(time.Second)
			client.Abort()
		}()
		_, err := server.Read(make([]byte, 1))
		wantError(t, "the peer", err, "read", syscall.ECONNRESET)
		_, err = server.Write([]byte("x"))
		wantError(t, "the peer", err, "write", tcp.ErrReset)
		<-client.Done()
		if !errors.Is(client.Err(), tcp.ErrAborted) || !errors.Is(server.Err(), tcp.ErrReset) {
			t.Error(client.Err(), server.Err())
		}
	})
}

// What was received and not read went to nobody, and the peer has to learn that (RFC 9293 §3.6.1).
func TestCloseWithUnreadDataResets(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		client, server := r.connect()
		if _, err := client.Write([]byte("nobody reads this")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		_ = server.Close()
		_, err := client.Read(make([]byte, 1))
		wantError(t, "the writer", err, "read", syscall.ECONNRESET)
	})
}

func TestAPeerThatVanishesEndsInATimeout(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		client, _ := r.connect()
		r.link.BlackHole(packettest.SideA, true)
		if _, err := client.Write([]byte("anybody?")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err := client.Read(make([]byte, 1))
		wantError(t, "the writer", err, "read", syscall.ETIMEDOUT)
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v is no time-out", err)
		}
		if took := time.Since(began); took < 5*time.Minute || took > 8*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

func TestDialTellsWhyItFails(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		local, server := r.addresses()
		elsewhere := netip.MustParseAddrPort("203.0.113.9:80")
		_, err := r.client.Dial(context.Background(), local, elsewhere)
		wantOp(t, err, "no route")

		r.link.BlackHole(packettest.SideB, true)
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		_, err = r.client.Dial(ctx, local, server)
		wantError(t, "nobody answers", err, "dial", context.DeadlineExceeded)

		_, err = r.client.Dial(context.Background(), local, server)
		wantError(t, "nobody answers for long", err, "dial", syscall.ETIMEDOUT)
	})
}

// wantOp wants a failed dial that says a word.
func wantOp(t *testing.T, err error, word string) {
	t.Helper()
	var o *net.OpError
	if !errors.As(err, &o) || o.Op != "dial" || !strings.Contains(err.Error(), word) {
		t.Errorf("%v, want dial: … %s", err, word)
	}
}

// Nothing listens on the address: the server's host has no Endpoint's listener there, and stays silent; a listener that
// was closed leaves connections alone that it has accepted.
func TestAListenerAnswersForItsAddressOnly(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		client, server := r.connect()
		if err := r.listener.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := r.listener.Accept()
		wantError(t, "closed", err, "accept", net.ErrClosed)
		if _, err := r.server.Listen(netip.MustParseAddrPort("0.0.0.0:80"), tcp.ListenerConfig{}); err == nil {
			t.Error("a port that is not ours")
		}
		on := netip.AddrPortFrom(r.link.Addr6(packettest.SideB), listenPort)
		if r.listener, err = r.server.Listen(on, tcp.ListenerConfig{}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.server.Listen(on, tcp.ListenerConfig{}); err == nil {
			t.Error("a second listener")
		}
		if _, err := r.dial(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("IPv4: %v", err)
		}
		r.v6 = true
		r.connect()
		r.v6 = false
		r.converse(client, server, 1000, 1000)
	})
}

// A client does not answer what it does not know: it may be somebody else's who uses the same ports behind this host.
func TestAClientIsSilentTowardsStrangers(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		client, server := r.connect()
		stranger := r.stray(clientPorts.First+9, listenPort)
		before := r.link.Counters(packettest.SideA).Sent
		r.cconn.Inject(stranger)
		time.Sleep(time.Second)
		if n := r.link.Counters(packettest.SideA).Sent - before; n != 0 {
			t.Errorf("%d answers", n)
		}
		before = r.link.Counters(packettest.SideB).Sent
		stranger.Local, stranger.Remote = stranger.Remote, stranger.Local
		stranger.Header = r.stray(listenPort, 999).Header
		r.sconn.Inject(stranger)
		time.Sleep(time.Second)
		if n := r.link.Counters(packettest.SideB).Sent - before; n != 1 {
			t.Errorf("a listener has sent %d answers, want a RST", n)
		}
		r.converse(client, server, 10, 10)
	})
}

// stray is an ACK of no connection, as the client's host receives it.
func (r *rig) stray(to, from uint16) packet.Packet {
	h := make([]byte, 20)
	h[0], h[1], h[2], h[3] = byte(from>>8), byte(from), byte(to>>8), byte(to)
	h[7], h[11], h[12], h[13] = 1, 1, 5<<4, 0x10
	client, server := r.addresses()
	return packet.Packet{Local: client, Remote: server.Addr(), Interface: r.link.Index(), Header: h}
}

func TestUsedAddressesAndPortsRestForAMinute(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		// The server closes first, so TIME-WAIT is its; the client's end is free at once, and its ports must rest.
		for range clientPorts.Count {
			client, server := r.connect()
			_ = server.Close()
			_, _ = client.Read(make([]byte, 1))
			_ = client.Close()
			<-client.Done()
		}
		_, err := r.dial()
		wantError(t, "all ports rest", err, "dial", ErrPorts)
		time.Sleep(quarantine)
		client, server := r.connect()
		r.converse(client, server, 1000, 1000)
	})
}

// A dial that nobody has answered leaves nothing behind, so the next may use its port.
func TestFailedDialsUseUpNoPorts(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		local, server := r.addresses()
		r.link.BlackHole(packettest.SideB, true)
		for range 2 * clientPorts.Count {
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			if _, err := r.client.Dial(ctx, local, server); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			cancel()
			synctest.Wait()
		}
	})
}

func TestDeadlines(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		client, server := r.connect()
		began := time.Now()
		_ = client.SetReadDeadline(began.Add(time.Second))
		_, err := client.Read(make([]byte, 1))
		wantError(t, "read", err, "read", os.ErrDeadlineExceeded)
		_ = client.SetWriteDeadline(began.Add(3 * time.Second))
		n, err := client.Write(make([]byte, 64*megabyte)) // the peer does not read
		wantError(t, "write", err, "write", os.ErrDeadlineExceeded)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
		if n == 0 || n > 40*megabyte {
			t.Errorf("%d bytes written", n)
		}
		_ = client.SetDeadline(time.Time{})
		go func() { _, _ = io.Copy(io.Discard, server) }()
		if _, err := client.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		client.Abort()
	})
}

func TestThePathsEndEndsItsConnections(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		client, _ := r.connect()
		go func() {
			time.Sleep(time.Second)
			r.cconn.Fail(net.ErrClosed)
		}()
		_, err := client.Read(make([]byte, 1))
		wantError(t, "read", err, "read", ErrPathGone)
		<-r.client.Done()
		_, err = r.dial()
		wantError(t, "dial", err, "dial", ErrPathGone)
	})
}

func TestAFullBacklogResets(t *testing.T) {
	inBubble(t, 1, aLink, func(r *rig) {
		_ = r.listener.Close()
		var err error
		if r.listener, err = r.server.Listen(anyAddress, tcp.ListenerConfig{Backlog: 2}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := r.dial(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		late, err := r.dial()
		if err != nil {
			t.Fatal(err)
		}
		_, err = late.Read(make([]byte, 1))
		wantError(t, "the third", err, "read", syscall.ECONNRESET)
		for range 2 {
			if _, err := r.listener.Accept(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
