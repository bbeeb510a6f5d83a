//go:build !race

package mptcp

import (
	"slices"
	"testing"
	"time"

	"hawser/transport/plain/plaintest"
)

// withdrawals takes the quicker uplink away in mid-upload, again and again, and returns the median of the largest gaps. What
// has left by it still arrives, as when an interface goes down: only what the peer would say there is lost.
func withdrawals(t *testing.T, off features) time.Duration {
	t.Helper()
	var gaps []time.Duration
	ms := time.Millisecond
	simulate(t, off, []plaintest.LinkConfig{{Rate: 60e6, Delay: 10 * ms}, {Rate: 10e6, Delay: 10 * ms}}, func(s *simulation) {
		client, server := s.pair()
		defer stop(client, server)
		d, all := bulk(client, server), s.source.Paths()
		for i := range trials + 1 {
			time.Sleep(2*time.Second + time.Duration(i)*7*ms)
			s.links[0].SetDown(plaintest.Down, true)
			s.source.set(all[1:])
			_, gap := d.over(500 * ms)
			gaps = append(gaps, gap)
			s.links[0].SetDown(plaintest.Down, false)
			s.source.set(all)
		}
	})
	slices.Sort(gaps)
	return gaps[trials/2]
}

func TestWhatMayHaveArrivedDoesNotHoldUpNewData(t *testing.T) {
	with, without := withdrawals(t, features{}), withdrawals(t, features{doubt: true})
	t.Logf("the largest gap is %v, %v when all is sent again first", with, without)
	if with > 36*time.Millisecond || without < with*5/4 {
		t.Error("new data was held up")
	}
}
