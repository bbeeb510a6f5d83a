package mptcp

import (
	"testing"
	"time"
)

// TestCloseDoesNotWaitForEverForAPeerThatDoesNotRead: the peer lives and answers, and takes no more than its window.
func TestCloseDoesNotWaitForEverForAPeerThatDoesNotRead(t *testing.T) {
	simulate(t, features{}, equal(), func(s *simulation) {
		client, server := s.pair()
		_ = client.SetWriteDeadline(time.Now().Add(5 * time.Second))
		if n, err := client.Write(make([]byte, 8<<20)); err == nil {
			t.Fatalf("a peer that does not read takes %d bytes", n)
		}
		begin := time.Now()
		_ = client.Close()
		select {
		case <-client.Done():
		case <-time.After(time.Hour):
			t.Errorf("the connection is there an hour after Close: %+v", client.Stats())
			stop(client)
		}
		if took := time.Since(begin); took < time.Minute || took > 3*time.Minute {
			t.Errorf("the connection ended %v after Close, want two minutes", took)
		}
		stop(server)
	})
}
