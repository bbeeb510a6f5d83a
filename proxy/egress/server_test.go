package egress

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"hawser/proxy/relay"
	"hawser/proxy/relay/relaytest"
)

// patience bounds what a broken server may cost a test; nothing waits for it when all is well.
const patience = 20 * time.Second

// served is a stream being served.
type served struct {
	client *relaytest.Stream
	answer chan Answer
	done   chan error
}

func serve(t *testing.T, r Request, answerFails error) *served {
	t.Helper()
	return serveBy(t, NewDialer(NewPolicy(prefixes("127.0.0.1/32"), nil, own()), names{}, 0), r, answerFails)
}

func serveBy(t *testing.T, d *Dialer, r Request, answerFails error) *served {
	t.Helper()
	s := NewServer(d, nil, zerolog.Nop())
	client, stream := relaytest.Pipe()
	if err := client.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	v := &served{client, make(chan Answer, 2), make(chan error, 1)}
	go func() {
		v.done <- s.Serve(t.Context(), stream, r, func(a Answer) error { v.answer <- a; return answerFails })
	}()
	return v
}

// target accepts one connection.
func target(t *testing.T) (Request, func() *net.TCPConn) {
	l := open(t)
	r := Request{CommandConnect, Target{Addr: netip.MustParseAddr("127.0.0.1"), Port: portOf(l)}}
	return r, func() *net.TCPConn {
		t.Helper()
		c, err := l.AcceptTCP()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		return c
	}
}

func TestServeRelaysWithHalfClose(t *testing.T) {
	r, accept := target(t)
	v := serve(t, r, nil)
	conn := accept()
	a := <-v.answer
	if a.Code != relay.CodeSucceeded || a.Text != "" || a.Bound.String() != conn.RemoteAddr().String() {
		t.Errorf("answer %+v; want success and %v", a, conn.RemoteAddr())
	}
	_, _ = io.WriteString(v.client, "request")
	_ = v.client.CloseWrite()
	if b, err := io.ReadAll(conn); err != nil || string(b) != "request" {
		t.Fatalf("target read %q, %v", b, err)
	}
	_, _ = io.WriteString(conn, "answer")
	_ = conn.CloseWrite()
	if b, err := io.ReadAll(v.client); err != nil || string(b) != "answer" {
		t.Fatalf("client read %q, %v", b, err)
	}
	if err := <-v.done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestServePassesResetsOn(t *testing.T) {
	r, accept := target(t)
	v := serve(t, r, nil)
	conn := accept()
	<-v.answer // a reset before it would be a failed connect
	relay.Abort(conn)
	if _, err := v.client.Read(make([]byte, 1)); !errors.Is(err, relaytest.ErrReset) {
		t.Errorf("client reads %v after the target's reset; want a reset", err)
	}
	<-v.done

	r, accept = target(t)
	v = serve(t, r, nil)
	conn = accept()
	v.client.Reset()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("target reads %v after the client's reset; want a reset", err)
	}
	<-v.done
}

func TestServeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		r    Request
		code relay.Code
	}{
		"denied":  {Request{CommandConnect, Target{Addr: netip.MustParseAddr("10.0.0.1"), Port: 1}}, relay.CodeNotAllowed},
		"command": {Request{2, Target{Addr: netip.MustParseAddr("8.8.8.8"), Port: 1}}, relay.CodeCommandNotSupported},
		"name":    {Request{CommandConnect, Target{Name: strings.Repeat("ä", 127), Port: 1}}, relay.CodeHostUnreachable},
	} {
		v := serve(t, c.r, nil)
		a := <-v.answer
		if a.Code != c.code || a.Text == "" || len(a.Text) > maxText || !utf8.ValidString(a.Text) || a.Bound.IsValid() {
			t.Errorf("%s: answer %+v; want code %d and a text", name, a, c.code)
		}
		if b, err := io.ReadAll(v.client); err != nil || len(b) > 0 {
			t.Errorf("%s: client reads %q, %v; want EOF, so that the answer is not lost", name, b, err)
		}
		_ = v.client.CloseWrite()
		err := <-v.done
		wantCode(t, name, err, c.code)
		if v.client.WasReset() {
			t.Errorf("%s: reset; want an orderly end", name)
		}
	}
}

func TestRefusedClientThatDoesNotHangUpIsReset(t *testing.T) {
	v := serve(t, Request{Command: 3}, nil)
	if _, err := v.client.Write(make([]byte, 2*relay.BufferSize)); err != nil {
		t.Fatal(err)
	}
	<-v.done
	if !v.client.WasReset() {
		t.Error("the stream was not reset")
	}
}

func TestAnswerThatFailsEndsTheTargetToo(t *testing.T) {
	r, accept := target(t)
	gone := errors.New("stream gone")
	v := serve(t, r, gone)
	if _, err := accept().Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("target reads %v; want a reset", err)
	}
	if err := <-v.done; !errors.Is(err, gone) {
		t.Errorf("Serve: %v; want %v", err, gone)
	}
}
