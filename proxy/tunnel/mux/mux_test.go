package mux

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/nettest"
)

// loopback gives the two ends of a TCP connection.
func loopback(t testing.TB) (net.Conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

// sessions makes both ends of a mux over a and b.
func sessions(t testing.TB, a, b net.Conn, client, server Config) (*Session, *Session) {
	t.Helper()
	client.Client = true
	c, err := New(a, client)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(b, server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		_ = s.Close()
	})
	return c, s
}

// open makes one stream and gives both ends of it, after the first bytes have been read.
func open(t testing.TB, c, s *Session) (*Stream, *Stream) {
	t.Helper()
	type result struct {
		st  *Stream
		err error
	}
	got := make(chan result, 1)
	go func() {
		st, err := s.Accept()
		got <- result{st, err}
	}()
	a, err := c.Open(context.Background(), []byte("?"))
	if err != nil {
		t.Fatal(err)
	}
	r := <-got
	if r.err != nil {
		t.Fatal(r.err)
	}
	if _, err := io.ReadFull(r.st, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return a, r.st
}

func wantErr(t *testing.T, why string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("%s: error %v, want %v", why, got, want)
	}
}

func TestStreamIsANetConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		a, b := loopback(t)
		c, s := sessions(t, a, b, Config{}, Config{})
		x, y := open(t, c, s)
		return x, y, func() { _ = c.Close(); _ = s.Close() }, nil
	})
}

func TestManyStreamsArriveWholeBothWays(t *testing.T) {
	a, b := loopback(t)
	c, s := sessions(t, a, b, Config{}, Config{})
	go func() {
		for {
			st, err := s.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(st, st)
				_ = st.CloseWrite()
				_ = st.Close()
			}()
		}
	}()
	data := make([]byte, 700_001)
	_, _ = rand.Read(data)
	want := sha256.Sum256(append([]byte("?"), data...))
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			st, err := c.Open(context.Background(), []byte("?"))
			if err != nil {
				t.Error(err)
				return
			}
			go func() {
				_, _ = st.Write(data)
				_ = st.CloseWrite()
			}()
			h := sha256.New()
			if _, err := io.Copy(h, st); err != nil {
				t.Error(err)
			}
			if got := h.Sum(nil); !bytes.Equal(got, want[:]) {
				t.Error("echo differs")
			}
			_ = st.Close()
		})
	}
	wg.Wait()
}

func TestHalfCloseLeavesTheOtherDirection(t *testing.T) {
	a, b := loopback(t)
	c, s := sessions(t, a, b, Config{}, Config{})
	x, y := open(t, c, s)
	if err := x.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := y.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("read after the peer's end: %d, %v", n, err)
	}
	t.Log("# the server answers after the client's end")
	if _, err := y.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	_ = y.Close()
	got, err := io.ReadAll(x)
	if err != nil || string(got) != "answer" {
		t.Fatalf("got %q, %v", got, err)
	}
	_, err = x.Write([]byte("late"))
	wantErr(t, "write after CloseWrite", err, net.ErrClosed)
	_ = x.Close()
}

func TestResetDiffersFromClose(t *testing.T) {
	a, b := loopback(t)
	c, s := sessions(t, a, b, Config{}, Config{})
	x, y := open(t, c, s)
	x.Reset()
	_, err := y.Read(make([]byte, 1))
	wantErr(t, "read after the peer's reset", err, ErrReset)
	_, err = y.Write(make([]byte, 1))
	wantErr(t, "write after the peer's reset", err, ErrReset)
	_, err = x.Read(make([]byte, 1))
	wantErr(t, "read after an own reset", err, ErrReset)

	t.Log("# a writer that waits for the window is woken by a reset")
	x, y = open(t, c, s)
	failed := make(chan error, 1)
	go func() {
		_, err := x.Write(make([]byte, initialWindow+1))
		failed <- err
	}()
	if err := y.WaitReadable(); err != nil {
		t.Fatal(err)
	}
	y.Reset()
	wantErr(t, "blocked write", <-failed, ErrReset)
}

func TestCloseTellsAPeerThatGoesOnSending(t *testing.T) {
	a, b := loopback(t)
	c, s := sessions(t, a, b, Config{}, Config{})
	x, y := open(t, c, s)
	_ = x.Close()
	if _, err := y.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("read after the peer's close: %v", err)
	}
	var err error
	for err == nil {
		_, err = y.Write(make([]byte, 1000))
	}
	wantErr(t, "write to a closed peer", err, ErrReset)

	t.Log("# closed with bytes unread: reset at once")
	x, y = open(t, c, s)
	if _, err := y.Write([]byte("unread")); err != nil {
		t.Fatal(err)
	}
	if err := x.WaitReadable(); err != nil {
		t.Fatal(err)
	}
	_ = x.Close()
	for err = nil; err == nil; {
		_, err = y.Read(make([]byte, 1))
	}
	if err != io.EOF { // the orderly end may have been read before the reset came
		wantErr(t, "read", err, ErrReset)
	}
}

func TestEndOfSessionEndsStreams(t *testing.T) {
	a, b := loopback(t)
	c, s := sessions(t, a, b, Config{}, Config{})
	x, y := open(t, c, s)
	ended := make(chan struct{})
	y.OnEnd(func() { close(ended) })
	_ = a.Close()
	_, err := y.Read(make([]byte, 1))
	wantErr(t, "read", err, ErrEnded)
	<-ended
	<-c.Done()
	_ = c.Close() // waits until the end is complete
	_, err = x.Write(make([]byte, 1))
	wantErr(t, "write", err, ErrEnded)
	_, err = c.Open(context.Background(), []byte("?"))
	wantErr(t, "open", err, ErrEnded)
	_, err = s.Accept()
	wantErr(t, "accept", err, ErrEnded)
	if c.Streams() != 0 {
		t.Fatalf("%d streams are left", c.Streams())
	}
}

func TestWriteDeadlineWakesAWriterThatWaitsForTheWindow(t *testing.T) {
	a, b := loopback(t)
	c, s := sessions(t, a, b, Config{}, Config{})
	x, _ := open(t, c, s)
	_ = x.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	n, err := x.Write(make([]byte, 2*initialWindow))
	wantErr(t, "blocked write", err, os.ErrDeadlineExceeded)
	// A small frame costs more than its bytes, and there is one when the rest of the window comes in the middle of a write.
	if n > initialWindow || n <= initialWindow-smallFrame {
		t.Fatalf("wrote %d bytes, want the window, %d", n, initialWindow)
	}
}

func TestStoppedReaderHoldsBackOnlyItself(t *testing.T) {
	a, b := loopback(t)
	c, s := sessions(t, a, b, Config{}, Config{})
	for range 4 {
		x, _ := open(t, c, s)
		go func() { _, _ = x.Write(make([]byte, 4*initialWindow)) }()
	}
	x, y := open(t, c, s)
	go func() {
		_, _ = x.Write(make([]byte, 32<<20))
		_ = x.CloseWrite()
	}()
	n, err := io.Copy(io.Discard, y)
	if n != 32<<20 || err != nil {
		t.Fatalf("beside stopped readers %d bytes arrived, %v", n, err)
	}
}
