package rawtcp

import (
	"io"
	"testing"
	"time"

	"hawser/transport/packettest"
)

// A server that dials nobody does not remember for ever who has been there.
func TestQuarantineEndsOnAServer(t *testing.T) {
	inBubble(t, 1, packettest.LinkConfig{Delay: time.Millisecond}, func(r *rig) {
		for range 2 {
			for range clientPorts.Count {
				client, server := r.connect()
				_ = client.CloseWrite()
				_, _ = io.ReadAll(server)
				_ = server.Close()
				<-server.Done()
				client.Abort()
				<-client.Done()
			}
			time.Sleep(2 * quarantine)
		}
		client, server := r.connect()
		_ = client.CloseWrite()
		_, _ = io.ReadAll(server)
		_ = server.Close()
		<-server.Done()
		r.server.mu.Lock()
		defer r.server.mu.Unlock()
		if n := len(r.server.resting); n != 1 {
			t.Errorf("%d pairs of addresses and ports are in quarantine, want the last one alone", n)
		}
	})
}
