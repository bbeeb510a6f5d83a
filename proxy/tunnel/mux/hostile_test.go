package mux

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"
)

// TestServerMustNotOpenStreams: the library would make the stream's account with the id that the client uses next.
func TestServerMustNotOpenStreams(t *testing.T) {
	for name, h := range map[string]header{
		"window update": {kind: kindWindow, flags: flagSYN, id: 2},
		"data":          {kind: kindData, flags: flagSYN, id: 2},
		"our own id":    {kind: kindWindow, flags: flagSYN, id: 1},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := loopback(t)
			defer b.Close()
			c, err := New(a, Config{Client: true})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := b.Write(appendHeader(nil, h)); err != nil {
				t.Fatal(err)
			}
			select {
			case <-c.Done():
				wantErr(t, "session", c.Err(), ErrProtocol)
			case <-time.After(5 * time.Second):
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := c.Open(ctx, []byte("?"))
				t.Fatalf("the session goes on; the next stream: %v", err)
			}
		})
	}
}

// TestFramesOfOneByteAreChargedWhatTheyCost: a peer must not hold many times the limit by sending bytes one by one.
func TestFramesOfOneByteAreChargedWhatTheyCost(t *testing.T) {
	const frames = 10_000
	feed := func(t *testing.T, limit int, all chan struct{}) (*Session, *Stream, *budget) {
		a, b := loopback(t)
		t.Cleanup(func() { _ = b.Close() })
		mem := &budget{limit: limit}
		s, err := New(a, Config{Windows: NewWindows(mem, 0), OnData: func(n int) {
			if n == 0 { // the frame with FIN, which is the last
				close(all)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		out := appendHeader(nil, header{kind: kindWindow, flags: flagSYN, id: 1})
		for range frames {
			out = append(appendHeader(out, header{kind: kindData, id: 1, length: 1}), 'x')
		}
		go func() { // a session that ends breaks it off
			_, _ = b.Write(appendHeader(out, header{kind: kindData, flags: flagFIN, id: 1}))
			_, _ = io.Copy(io.Discard, b)
		}()
		st, err := s.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return s, st, mem
	}
	t.Run("no room", func(t *testing.T) {
		_, st, mem := feed(t, frames*frameCost/2, make(chan struct{}))
		ended := make(chan struct{})
		st.OnEnd(func() { close(ended) })
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Errorf("the stream lives on with %d bytes charged", mem.level())
		}
	})
	t.Run("room", func(t *testing.T) {
		all := make(chan struct{})
		s, st, mem := feed(t, 2*frames*frameCost, all)
		<-all
		if got := mem.level(); got < frames*frameCost {
			t.Errorf("%d frames of one byte are charged %d bytes", frames, got)
		}
		got, err := io.ReadAll(st)
		if err != nil || !bytes.Equal(got, bytes.Repeat([]byte{'x'}, frames)) {
			t.Errorf("%d bytes came out, %v", len(got), err)
		}
		_ = st.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if n := mem.level(); n != 0 {
			t.Errorf("%d bytes are still charged", n)
		}
	})
}
