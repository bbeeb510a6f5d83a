package link

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

// echo answers every connection with what it got, until the test ends.
func echo(t *testing.T) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := io.Copy(c, c); err == nil {
					_ = c.(*net.TCPConn).CloseWrite()
				}
			}()
		}
	}()
	return netip.MustParseAddrPort(ln.Addr().String())
}

func newLink(t *testing.T, to netip.AddrPort) *Link {
	t.Helper()
	l, err := Listen(Config{Name: "dsl", Rate: 80e6, Delay: time.Millisecond}, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func dial(t *testing.T, l *Link) *net.TCPConn {
	t.Helper()
	c, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(l.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

func TestLinkForwardsBothWaysWithHalfCloseAndCounts(t *testing.T) {
	l := newLink(t, echo(t))
	c := dial(t, l)
	sent := bytes.Repeat([]byte("hawser"), 100_000)
	go func() {
		_, _ = c.Write(sent)
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d of %d bytes came back, %v", len(got), len(sent), err)
	}
	if up, down := l.Bytes(); up != uint64(len(sent)) || down != up {
		t.Errorf("counted %d up and %d down, want %d", up, down, len(sent))
	}
	if a := l.Addr(); a.Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("begins at %v, want 127.0.0.1", a)
	}
}

func TestCutLinkLetsNobodyKnow(t *testing.T) {
	l := newLink(t, echo(t))
	old := dial(t, l)
	roundTrip(t, old)
	l.Cut()
	l.Cut()
	young := dial(t, l)
	for name, c := range map[string]*net.TCPConn{"an open connection": old, "a new one": young} {
		if _, err := c.Write([]byte("x")); err != nil {
			t.Errorf("%s: write to a cut link: %v", name, err)
		}
		_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: read %d bytes, %v from a cut link, want silence", name, n, err)
		}
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	}
	l.Restore()
	for name, c := range map[string]*net.TCPConn{"the open connection": old, "the new one": young} {
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Errorf("%s: after the restoration: %v", name, err)
		}
		roundTrip(t, c)
	}
}

func roundTrip(t *testing.T, c net.Conn) {
	t.Helper()
	b := []byte("ping")
	if _, err := c.Write(b); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(c, b); err != nil {
		t.Error(err)
	}
}

func TestLinkToNowhereResets(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := netip.MustParseAddrPort(ln.Addr().String())
	_ = ln.Close()
	c, err := net.Dial("tcp4", newLink(t, nowhere).Addr().String())
	if err == nil { // the reset may also come before the dial has returned
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		_, err = c.Read(make([]byte, 1))
	}
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want the end of the connection", err)
	}
	if _, err := Listen(Config{Name: "dsl"}, nowhere); err == nil {
		t.Error("a link without a rate was made")
	}
}
