package tunnel

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"hawser/proxy/tunnel/tunneltest"
)

// A server takes a second to follow an invite; who comes before must not wait for long.
func TestClientThatCameBeforeItsInviteWasReadGetsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newStack(t, tunneltest.Line{Delay: 20 * time.Millisecond}, nil)
		defer k.stop()
		k.clients.revoke(identity(t, 'c'))
		k.server.Recheck()
		if _, err := k.pool.OpenStream(context.Background(), TargetOf("example.net", 80)); !permanent(err) {
			t.Fatalf("stream of a client that is not listed: %v, want a rejection", err)
		}
		k.clients.mu.Lock()
		k.clients.names[string(identity(t, 'c').Public())] = "c"
		k.clients.mu.Unlock()
		start := time.Now()
		k.established(2)
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("let in %v after the server has read the invite", took)
		}
	})
}
