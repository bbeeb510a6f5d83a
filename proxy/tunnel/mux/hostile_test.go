package mux

import (
	"context"
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
