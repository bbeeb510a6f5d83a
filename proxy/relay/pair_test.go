package relay

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"hawser/proxy/relay/relaytest"
)

// patience bounds what a broken relay may cost a test; nothing waits for it when all is well.
const patience = 20 * time.Second

// tcpPair is two ends of a loopback connection.
func tcpPair(t *testing.T) (app, local *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// rig is an application, a relay and the far end of its stream.
type rig struct {
	app    *net.TCPConn
	far    *relaytest.Stream
	meter  Meter
	cancel context.CancelFunc
	done   chan error
}

// as hides or shows the optional methods of the test stream.
type as func(*relaytest.Stream) Stream

// plain has neither optional method.
type plain struct{ Stream }

// writerTo offers WriteTo alone.
type writerTo struct{ Stream }

func (w writerTo) WriteTo(dst io.Writer) (n int64, err error) {
	b := make([]byte, 1000)
	for {
		k, err := w.Read(b)
		if err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		m, err := dst.Write(b[:k])
		n += int64(m)
		if err != nil {
			return n, err
		}
	}
}

var streamKinds = map[string]as{
	"WaitReadable": func(s *relaytest.Stream) Stream { return s },
	"WriteTo":      func(s *relaytest.Stream) Stream { return writerTo{s} },
	"plain":        func(s *relaytest.Stream) Stream { return plain{s} },
}

func newRig(t *testing.T, kind as, early string) *rig {
	t.Helper()
	app, local := tcpPair(t)
	near, far := relaytest.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	r := &rig{app: app, far: far, cancel: cancel, done: make(chan error, 1)}
	for _, c := range []net.Conn{app, far} {
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	go func() { r.done <- Run(ctx, local, kind(near), []byte(early), &r.meter) }()
	t.Cleanup(cancel)
	return r
}

func (r *rig) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(patience):
		t.Fatal("the relay did not end")
		return nil
	}
}

func write(t *testing.T, w io.Writer, s string) {
	t.Helper()
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatalf("write %q: %v", s, err)
	}
}

func want(t *testing.T, r io.Reader, s string) {
	t.Helper()
	b := make([]byte, len(s))
	if _, err := io.ReadFull(r, b); err != nil || string(b) != s {
		t.Fatalf("read %q, %v; want %q", b, err, s)
	}
}

func wantEOF(t *testing.T, why string, r io.Reader) {
	t.Helper()
	if b, err := io.ReadAll(r); err != nil || len(b) != 0 {
		t.Fatalf("%s: read %q, %v; want EOF", why, b, err)
	}
}

func forKinds(t *testing.T, f func(t *testing.T, kind as)) {
	for name, kind := range streamKinds {
		t.Run(name, func(t *testing.T) { f(t, kind) })
	}
}

func TestHalfCloseOfApplicationLeavesOtherDirectionOpen(t *testing.T) {
	forKinds(t, func(t *testing.T, kind as) {
		r := newRig(t, kind, "early ")
		write(t, r.app, "request")
		if err := r.app.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		want(t, r.far, "early request")
		wantEOF(t, "the application's FIN reaches the far end", r.far)
		write(t, r.far, "answer after the FIN")
		want(t, r.app, "answer after the FIN")
		if err := r.far.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		wantEOF(t, "the far end's FIN reaches the application", r.app)
		if err := r.wait(t); err != nil {
			t.Errorf("Run: %v; want nil after an orderly end", err)
		}
		if in, out := r.meter.In.Load(), r.meter.Out.Load(); in != 13 || out != 20 {
			t.Errorf("meter counts %d in, %d out; want 13, 20", in, out)
		}
		if a, n := r.meter.Active.Load(), r.meter.Total.Load(); a != 0 || n != 1 {
			t.Errorf("meter counts %d active, %d in all; want 0, 1", a, n)
		}
		if r.far.WasReset() {
			t.Error("the stream was reset")
		}
	})
}

func TestHalfCloseOfStreamLeavesOtherDirectionOpen(t *testing.T) {
	forKinds(t, func(t *testing.T, kind as) {
		r := newRig(t, kind, "")
		write(t, r.far, "greeting")
		if err := r.far.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		want(t, r.app, "greeting")
		wantEOF(t, "the far end's FIN reaches the application", r.app)
		write(t, r.app, "last words")
		want(t, r.far, "last words")
		if err := r.app.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		wantEOF(t, "the application's FIN reaches the far end", r.far)
		if err := r.wait(t); err != nil {
			t.Errorf("Run: %v; want nil after an orderly end", err)
		}
	})
}

func wantAppReset(t *testing.T, app net.Conn) {
	t.Helper()
	if _, err := io.ReadAll(app); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the application reads %v; want a connection reset", err)
	}
}

func TestResetOfStreamBecomesResetOfApplication(t *testing.T) {
	forKinds(t, func(t *testing.T, kind as) {
		for _, halfClosed := range []bool{false, true} {
			r := newRig(t, kind, "")
			write(t, r.app, "x")
			want(t, r.far, "x")
			if halfClosed {
				if err := r.app.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				wantEOF(t, "FIN first", r.far)
			}
			r.far.Reset()
			wantAppReset(t, r.app)
			if err := r.wait(t); !errors.Is(err, ErrReset) || !errors.Is(err, relaytest.ErrReset) {
				t.Errorf("Run: %v; want ErrReset and the stream's error", err)
			}
		}
	})
}

func TestResetOfStreamAfterItsFinIsNoticed(t *testing.T) {
	r := newRig(t, streamKinds["WaitReadable"], "")
	if err := r.far.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	wantEOF(t, "FIN first", r.app)
	r.far.Reset()
	if err := r.wait(t); !errors.Is(err, ErrReset) {
		t.Errorf("Run: %v; want ErrReset", err)
	}
}

func TestResetOfApplicationBecomesResetOfStream(t *testing.T) {
	// When the relay learns of the reset depends on what it is doing.
	cases := map[string]func(t *testing.T, r *rig){
		"while idle": func(t *testing.T, r *rig) {},
		"after the far end's FIN": func(t *testing.T, r *rig) {
			if err := r.far.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			wantEOF(t, "FIN first", r.app)
		},
	}
	if runtime.GOOS == "linux" { // elsewhere the next write finds out
		cases["after its own FIN"] = func(t *testing.T, r *rig) {
			if err := r.app.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			wantEOF(t, "FIN first", r.far)
		}
	}
	for name, prepare := range cases {
		t.Run(name, func(t *testing.T) {
			forKinds(t, func(t *testing.T, kind as) {
				r := newRig(t, kind, "")
				prepare(t, r)
				Abort(r.app)
				if err := r.wait(t); !errors.Is(err, ErrReset) {
					t.Errorf("Run: %v; want ErrReset", err)
				}
				if !r.far.WasReset() {
					t.Error("the stream was not reset")
				}
			})
		})
	}
}

func TestResetOfApplicationDuringBlockedUploadIsNoticed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("elsewhere the next write finds out")
		return
	}
	t.Parallel() // takes stallCheck
	r := newRig(t, streamKinds["WaitReadable"], "")
	go func() { _, _ = r.app.Write(make([]byte, 8*relaytest.Window)) }() // ends with the reset
	r.far.WaitFull()
	Abort(r.app)
	if err := r.wait(t); !errors.Is(err, ErrReset) || !r.far.WasReset() {
		t.Errorf("Run: %v, stream reset %v; want ErrReset and reset", err, r.far.WasReset())
	}
}

func TestFullCloseOfApplicationResetsStreamWhenMoreArrives(t *testing.T) {
	r := newRig(t, streamKinds["WaitReadable"], "")
	r.app.Close()
	wantEOF(t, "close is a FIN first", r.far)
	chunk := make([]byte, 64<<10)
	for {
		if _, err := r.far.Write(chunk); err != nil {
			break // the write is bounded by the stream's deadline
		}
	}
	if err := r.wait(t); !errors.Is(err, ErrReset) {
		t.Errorf("Run: %v; want ErrReset", err)
	}
	if !r.far.WasReset() {
		t.Error("the stream was not reset")
	}
}

func TestCancelResetsBothSides(t *testing.T) {
	r := newRig(t, streamKinds["WaitReadable"], "")
	write(t, r.app, "x")
	want(t, r.far, "x")
	r.cancel()
	wantAppReset(t, r.app)
	if err := r.wait(t); !errors.Is(err, context.Canceled) || !r.far.WasReset() {
		t.Errorf("Run: %v, stream reset %v; want canceled and reset", err, r.far.WasReset())
	}
}

func TestBulkBothWaysArrivesWhole(t *testing.T) {
	forKinds(t, func(t *testing.T, kind as) {
		up, down := make([]byte, 5<<20), make([]byte, 5<<20)
		_, _ = rand.Read(up)
		_, _ = rand.Read(down)
		r := newRig(t, kind, "")
		go func() { _, _ = r.app.Write(up); _ = r.app.CloseWrite() }()
		go func() { _, _ = r.far.Write(down); _ = r.far.CloseWrite() }()
		got := make(chan []byte, 1)
		go func() { b, _ := io.ReadAll(r.app); got <- b }()
		b, err := io.ReadAll(r.far)
		if err != nil || !bytes.Equal(b, up) {
			t.Errorf("up: %d bytes, %v; want %d whole", len(b), err, len(up))
		}
		if b := <-got; !bytes.Equal(b, down) {
			t.Errorf("down: %d bytes; want %d whole", len(b), len(down))
		}
		if err := r.wait(t); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestLocalSideNeedNotBeTCP(t *testing.T) {
	a, b := net.Pipe()
	near, far := relaytest.Pipe()
	done := make(chan error, 1)
	go func() { done <- Run(t.Context(), b, near, nil, nil) }()
	write(t, a, "ping")
	want(t, far, "ping")
	write(t, far, "pong")
	want(t, a, "pong")
	a.Close()
	wantEOF(t, "close is a FIN", far)
	_ = far.CloseWrite()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}
