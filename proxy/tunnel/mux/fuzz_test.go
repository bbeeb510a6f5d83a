package mux

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"

	"hawser/proxy/tunnel/tunneltest"
)

// deafConn gives what it was made with, and takes everything.
type deafConn struct {
	net.Conn
	in *bytes.Reader
}

func (c *deafConn) Read(b []byte) (int, error)  { return c.in.Read(b) }
func (c *deafConn) Write(b []byte) (int, error) { return len(b), nil }
func (c *deafConn) Close() error                { return nil }

func frames(hs ...header) []byte {
	var b []byte
	for _, h := range hs {
		b = appendHeader(b, h)
		b = append(b, make([]byte, min(h.body(), payloadSize))...)
	}
	return b
}

func FuzzParseHeader(f *testing.F) {
	f.Add(frames(header{kind: kindWindow, flags: flagSYN, id: 1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < headerSize {
			return
		}
		h := parseHeader(b)
		if got := appendHeader(nil, h); !bytes.Equal(got, b[:headerSize]) {
			t.Fatalf("%x became %v became %x", b[:headerSize], h, got)
		}
		if h.String() == "" {
			t.Fatal("no text")
		}
	})
}

// FuzzSession feeds a server session whatever a client might send.
func FuzzSession(f *testing.F) {
	open := header{kind: kindWindow, flags: flagSYN, id: 1}
	data := header{kind: kindData, id: 1, length: 100}
	f.Add(frames(open, data, header{kind: kindWindow, flags: flagFIN, id: 1}))
	f.Add(frames(open, open))
	f.Add(frames(header{kind: kindData, flags: flagSYN, id: 3, length: 9}, header{kind: kindWindow, flags: flagRST, id: 3}))
	f.Add(frames(open, header{kind: kindData, id: 1, length: payloadSize}, header{kind: kindData, id: 1, length: 1 << 30}))
	f.Add(frames(header{kind: kindPing, flags: flagSYN}, header{kind: kindGoAway}))
	f.Add(frames(header{kind: kindWindow, flags: flagSYN, id: 2}))
	f.Add(frames(header{version: 1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		mem := &budget{limit: 1 << 20}
		s, err := New(&deafConn{in: bytes.NewReader(b)}, Config{MaxStreams: 4, Windows: NewWindows(mem, 0)})
		if err != nil {
			t.Fatal(err)
		}
		for {
			st, err := s.Accept()
			if err != nil {
				break
			}
			go func() {
				_, _ = io.Copy(io.Discard, st)
				_ = st.Close()
			}()
		}
		_ = s.Close()
		if s.Streams() != 0 {
			t.Fatalf("%d streams are left", s.Streams())
		}
		runtime.ReadMemStats(&after)
		if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 2<<20+int64(len(b))*1000 {
			t.Fatalf("%d bytes of input made %d bytes", len(b), grown)
		}
	})
}

func TestOversizedFrameEndsTheSession(t *testing.T) {
	in := frames(header{kind: kindWindow, flags: flagSYN, id: 1}, header{kind: kindData, id: 1, length: payloadSize + 1})
	s, err := New(&deafConn{in: bytes.NewReader(in)}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	wantErr(t, "session", s.Err(), ErrProtocol)
	_ = s.Close()
}

func TestPeerThatIgnoresItsWindowEndsTheSession(t *testing.T) {
	hs := []header{{kind: kindWindow, flags: flagSYN, id: 1}}
	for range initialWindow/payloadSize + 1 {
		hs = append(hs, header{kind: kindData, id: 1, length: payloadSize})
	}
	s, err := New(&deafConn{in: bytes.NewReader(frames(hs...))}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	_ = s.Close()
}

func TestRefusedStreamsLeaveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := tunneltest.Pipe(tunneltest.Line{})
		c, s := sessions(t, a, b, Config{}, Config{MaxStreams: 2})
		open(t, c, s)
		open(t, c, s)
		st, err := c.Open(t.Context(), []byte("?"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = st.Read(make([]byte, 1))
		wantErr(t, "a third stream", err, ErrReset)
		synctest.Wait()
		if c.Streams() != 2 || s.Streams() != 2 {
			t.Errorf("%d and %d streams, want 2", c.Streams(), s.Streams())
		}
		_ = c.Close()
		_ = s.Close()
	})
}
