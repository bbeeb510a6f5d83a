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

// TestFramesOfOneByteTakeWhatTheyCost: a peer must not hold many times its window by sending bytes one by one.
func TestFramesOfOneByteTakeWhatTheyCost(t *testing.T) {
	const fit = initialWindow / (1 + frameCost)
	for name, frames := range map[string]int{"as many as fit": fit, "one more": fit + 1} {
		t.Run(name, func(t *testing.T) {
			a, b := loopback(t)
			t.Cleanup(func() { _ = b.Close() })
			mem := &budget{limit: 64 << 20}
			all := make(chan struct{})
			s, err := New(a, Config{Windows: NewWindows(mem, mem.limit), OnData: func(n int) {
				if n == 0 { // the frame with FIN, which is the last
					close(all)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if _, err := b.Write(appendHeader(nil, header{kind: kindWindow, flags: flagSYN, id: 1})); err != nil {
				t.Fatal(err)
			}
			st, err := s.Accept()
			if err != nil {
				t.Fatal(err)
			}
			accepted := make([]byte, headerSize) // it allows the rest of the window
			if _, err := io.ReadFull(b, accepted); err != nil || parseHeader(accepted).length != initialWindow-minWindow {
				t.Fatal(parseHeader(accepted), err)
			}
			var out []byte
			for range frames {
				out = append(appendHeader(out, header{kind: kindData, id: 1, length: 1}), 'x')
			}
			go func() { // a session that ends breaks it off
				_, _ = b.Write(appendHeader(out, header{kind: kindData, flags: flagFIN, id: 1}))
				_, _ = io.Copy(io.Discard, b)
			}()
			if frames > fit {
				<-s.Done()
				wantErr(t, "a frame too many", s.Err(), ErrProtocol)
				return
			}
			<-all
			got, err := io.ReadAll(st)
			if err != nil || !bytes.Equal(got, bytes.Repeat([]byte{'x'}, frames)) {
				t.Errorf("%d bytes came out, %v", len(got), err)
			}
			_ = st.Close()
			_ = s.Close()
			if n := mem.level(); n != 0 {
				t.Errorf("%d bytes are still charged", n)
			}
		})
	}
}
