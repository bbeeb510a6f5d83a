//go:build !race

package mptcp

import (
	"io"
	"testing"
	"time"

	"hawser/test/netlab/profile"
	"hawser/transport/plain/plaintest"
)

// fetched is how long n bytes take to arrive in a session that was idle.
func fetched(t *testing.T, c conditions, n int) (took time.Duration) {
	t.Helper()
	simulateUnder(t, c, func(s *simulation) {
		client, server := s.pair()
		defer stop(client, server)
		begin := time.Now()
		go func() { _, _ = server.Write(make([]byte, n)) }()
		if _, err := io.ReadFull(client, make([]byte, n)); err != nil {
			t.Error(err)
		}
		took = time.Since(begin)
	})
	return took
}

// TestShortTransferKeepsOffASlowLink is below P11: what the quick link brings in a moment does not wait for the slow one,
// as it does when the links take turns.
func TestShortTransferKeepsOffASlowLink(t *testing.T) {
	t.Parallel()
	p := profile.FastSlow()
	slow := p.Links[1].Delay
	take := func(scheduler string) float64 {
		return middle(t, func(t *testing.T, seed uint64) float64 {
			return fetched(t, conditions{links: links(p), scheduler: scheduler, seed: seed}, 300_000).Seconds()
		})
	}
	with, without := take(""), take("roundrobin")
	t.Logf("300 kB take %.3f s, %.3f s when the links take turns", with, without)
	if with > slow.Seconds() || without < slow.Seconds() {
		t.Errorf("300 kB take %.3f s, and %.3f s when the links take turns; the slow link's way is %v", with, without, slow)
	}
}

// crowded is the largest ratio of a link's round trip to its least while several sessions fill it.
func crowded(t *testing.T, c conditions, sessions int) (ratio float64) {
	t.Helper()
	simulateUnder(t, c, func(s *simulation) {
		var servers []*Conn
		for range sessions {
			client, server := s.pair()
			defer stop(client, server)
			servers = append(servers, server)
			bulk(server, client)
		}
		time.Sleep(2 * time.Second)
		for _, server := range servers {
			for _, sub := range server.Stats().Subflows {
				base := 2 * c.links[sub.AddressID-1].Delay
				ratio = max(ratio, sub.RTT.Seconds()/base.Seconds())
			}
		}
	})
	return ratio
}

// TestBoardKeepsLoadedLatencyLow: sessions that share an uplink share its cap. With a cap each they fill its queue.
func TestBoardKeepsLoadedLatencyLow(t *testing.T) {
	t.Parallel()
	link := plaintest.LinkConfig{Rate: 20e6, Delay: 10 * time.Millisecond, Queue: 1 << 20}
	load := func(off features) float64 {
		return middle(t, func(t *testing.T, seed uint64) float64 {
			return crowded(t, conditions{links: []plaintest.LinkConfig{link}, congestion: "cubic", seed: seed, off: off}, 6)
		})
	}
	with, without := load(features{}), load(features{board: true})
	t.Logf("round trip under load of six sessions ÷ idle: %.2f, %.2f with a cap for each", with, without)
	if without < 1.5*with {
		t.Errorf("round trip under load of six sessions ÷ idle is %.2f, and %.2f with a cap for each", with, without)
	}
}
